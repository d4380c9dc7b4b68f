import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './free-port.ts';

/**
 * A real redis-server of this test file, on a free port of 127.0.0.1, that can be hurt:
 *
 *     const redis = await RedisServer.start();
 *     await redis.kill();       // SIGKILL, data gone
 *     await redis.restart();    // same port, empty
 *     redis.pause();  redis.resume();
 *     await redis.stop();
 */
export class RedisServer {
  readonly port: number;
  readonly #args: readonly string[];
  readonly #dir = mkdtempSync(join(tmpdir(), 'yamabiko-redis-'));
  readonly #killWithUs = () => this.#process?.kill('SIGKILL');
  #process: ChildProcess | null = null;
  #admin: Redis | null = null;

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = args;
    process.once('exit', this.#killWithUs);
  }

  /** @param args more of redis-server's own options, e.g. `['--requirepass', 'secret']` */
  static async start(args: readonly string[] = []): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), args);
    await server.restart();
    return server;
  }

  /** A port on which nothing listens; `restart()` brings a server up there later. */
  static async absent(args: readonly string[] = []): Promise<RedisServer> {
    return new RedisServer(await freePort(), args);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** The same with a user and password in it. */
  urlAs(user: string, password: string): string {
    return `redis://${user}:${password}@127.0.0.1:${this.port}`;
  }

  /** Starts it, empty, on its port. */
  async restart(): Promise<void> {
    const child = spawn(
      'redis-server',
      [
        '--port',
        String(this.port),
        '--bind',
        '127.0.0.1',
        '--save',
        '',
        '--appendonly',
        'no',
        '--dir',
        this.#dir,
      ].concat(this.#args),
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    this.#process = child;
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)));
      child.stdout?.on('data', (line: Buffer) => {
        if (line.includes('Ready to accept connections')) resolve();
      });
    });
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** Freezes it: connections stay open, nothing is answered. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  /** A plain client, for what Laravel or an operator would do; closed by `stop`. */
  get client(): Redis {
    this.#admin ??= new Redis(this.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    // It is there to outlive the outages that the tests make.
    if (this.#admin.listenerCount('error') === 0) this.#admin.on('error', () => {});
    return this.#admin;
  }

  async stop(): Promise<void> {
    this.#admin?.disconnect();
    await this.kill();
    process.off('exit', this.#killWithUs);
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './free-port.ts';

/** Another program was quicker. */
const PORT_TAKEN = /Address already in use|Failed listening/;
const PORT_ATTEMPTS = 5;

/** More options of redis-server; made anew for each attempt where they name ports. */
type Args = readonly string[] | (() => Promise<readonly string[]>);

/** What a test run that is broken off must not leave behind. */
const living = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

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
  /** Where it speaks TLS too, if its arguments name a certificate (`--tls-cert-file`); else 0. */
  tlsPort = 0;
  /** Of redis-server. */
  #command: readonly string[];
  readonly #password: string | undefined;
  readonly #dir = mkdtempSync(join(tmpdir(), 'yamabiko-redis-'));
  #process: ChildProcess | null = null;
  #admin: Redis | null = null;
  #publisher: Redis | null = null;
  #frozen = false;

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    const own = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    this.#command = [...own, '--dir', this.#dir, ...args];
    const at = args.indexOf('--requirepass');
    this.#password = at < 0 ? undefined : args[at + 1];
  }

  /**
   * On other ports where one was taken meanwhile, which it says.
   * @param args more of redis-server's own options, e.g. `['--requirepass', 'secret']`
   */
  static async start(args: Args = []): Promise<RedisServer> {
    for (let left = PORT_ATTEMPTS; ; ) {
      const server = await RedisServer.#onFreePorts(typeof args === 'function' ? await args() : args);
      try {
        await server.restart();
        return server;
      } catch (err) {
        await server.stop();
        if (--left === 0 || !PORT_TAKEN.test(String(err))) throw err;
        console.warn(`a redis-server is started again on other ports: ${err}`);
      }
    }
  }

  static async #onFreePorts(args: readonly string[]): Promise<RedisServer> {
    const withTls = args.includes('--tls-cert-file');
    const tlsPort = withTls ? await freePort() : 0;
    const server = new RedisServer(
      await freePort(),
      withTls ? ['--tls-port', String(tlsPort), ...args] : args,
    );
    server.tlsPort = tlsPort;
    return server;
  }

  /**
   * A Sentinel. @param lines of its configuration; it speaks TLS too if they name a certificate (`tls-cert-file`)
   * @param password that `client` gives
   */
  static async sentinel(lines: readonly string[], password?: string): Promise<RedisServer> {
    const args = password === undefined ? [] : ['--requirepass', password];
    const server = new RedisServer(await freePort(), args);
    const withTls = lines.some((line) => line.startsWith('tls-cert-file'));
    if (withTls) server.tlsPort = await freePort();
    const file = join(server.#dir, 'sentinel.conf');
    // It writes down there what it learns.
    writeFileSync(
      file,
      [
        `port ${server.port}`,
        ...(withTls ? [`tls-port ${server.tlsPort}`] : []),
        'bind 127.0.0.1',
        `dir ${server.#dir}`,
        ...lines,
        '',
      ].join('\n'),
    );
    server.#command = [file, '--sentinel'];
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

  /** With the password that it was started with. */
  get adminUrl(): string {
    return this.#password === undefined ? this.url : this.urlAs('', this.#password);
  }

  /** The same with a user and password in it. */
  urlAs(user: string, password: string): string {
    return `redis://${user}:${password}@127.0.0.1:${this.port}`;
  }

  /** Starts it, empty, on its port. */
  async restart(): Promise<void> {
    const child = spawn('redis-server', this.#command, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process = child;
    living.add(child);
    child.once('exit', () => living.delete(child));
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => reject(new Error(`redis-server ended with ${code}: ${said}`)));
      child.stdout?.on('data', (lines: Buffer) => {
        said += String(lines);
        // Before it is cut short: a Cluster's node that comes back says more than that behind it, in one piece.
        if (/Ready to accept connections|Sentinel ID is/.test(said)) resolve();
        said = said.slice(-1000);
      });
    });
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    this.#frozen = false;
    if (child === null || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** Whether its process lives and is not frozen. */
  get answers(): boolean {
    return this.#process !== null && !this.#frozen;
  }

  /** Freezes it: connections stay open, nothing is answered. */
  pause(): void {
    this.#frozen = true;
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#frozen = false;
    this.#process?.kill('SIGCONT');
  }

  /** A plain client, for what Laravel or an operator would do; closed by `stop`. */
  get client(): Redis {
    this.#admin ??= new Redis(this.adminUrl, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    // It is there to outlive the outages that the tests make.
    if (this.#admin.listenerCount('error') === 0) this.#admin.on('error', () => {});
    return this.#admin;
  }

  /** As a program does that neither waits for a Redis that is away nor tries again. Rejects then. */
  async publish(name: string, payload: string): Promise<void> {
    if (this.#publisher === null) {
      this.#publisher = new Redis(this.adminUrl, {
        retryStrategy: () => 20,
        maxRetriesPerRequest: 0,
        autoResendUnfulfilledCommands: false,
        commandTimeout: 1000,
      });
      this.#publisher.on('error', () => {});
    }
    await this.#publisher.publish(name, payload);
  }

  async stop(): Promise<void> {
    this.#admin?.disconnect();
    this.#publisher?.disconnect();
    await this.kill();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

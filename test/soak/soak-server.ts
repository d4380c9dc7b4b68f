import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { until } from '../support/yamabiko.ts';

const MAIN = fileURLToPath(new URL('../../dist/server/main.js', import.meta.url));
const PROBE = fileURLToPath(new URL('./probe.mjs', import.meta.url));

/** What must be back at zero when everybody has left. */
const HELD = /^(yamabiko_(?:connections|subscriptions|members|auth_waiting)(?:\{[^}]*\})?) (\d+)$/gm;

/** The built server, whose memory and descriptors can be looked at. */
export class SoakServer {
  url = '';
  /** Lines of the log at the level error and above, and what is no line of it. */
  readonly faults: string[] = [];
  #rest = '';
  readonly #child: ChildProcess;
  readonly #kill = () => this.#child.kill('SIGKILL');

  private constructor(env: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, ['--expose-gc', '--import', PROBE, MAIN, 'start'], {
      env: {
        PATH: process.env.PATH,
        YAMABIKO_HOST: '127.0.0.1',
        YAMABIKO_PORT: '0',
        YAMABIKO_LOG_FORMAT: 'json',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    // Floods are logged too, and are not kept.
    const hear = (chunk: Buffer) => {
      const lines = (this.#rest + chunk).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#hear(line);
    };
    this.#child.stdout?.on('data', hear);
    this.#child.stderr?.on('data', hear);
    process.once('exit', this.#kill);
  }

  static async start(env: Readonly<Record<string, string>>): Promise<SoakServer> {
    const server = new SoakServer(env);
    await until(
      () => server.url !== '',
      () => `it listens: ${server.faults.join()}`,
      30_000,
    );
    await until(async () => (await fetch(`${server.url}/health/ready`)).ok, 'it is ready', 30_000);
    return server;
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /**
   * What it holds after a forced collection, in bytes: the heap in use and what hangs on it outside (buffers). Not the
   * resident size: an allocator keeps pages for the next time, so that it tells of the worst moment and not of a leak.
   */
  async heldBytes(): Promise<number> {
    const answer = once(this.#child, 'message');
    this.#child.send('measure');
    const [{ heapUsed, external }] = (await answer) as [NodeJS.MemoryUsage];
    return heapUsed + external;
  }

  descriptors(): number {
    return readdirSync(`/proc/${this.#child.pid}/fd`).length;
  }

  /** By name and labels, those that are not zero. */
  async held(): Promise<Record<string, number>> {
    const text = await (await fetch(`${this.url}/metrics`, { headers: { connection: 'close' } })).text();
    const counts = [...text.matchAll(HELD)].map(([, name = '', count]) => [name, Number(count)] as const);
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }

  async stop(): Promise<number | null> {
    process.off('exit', this.#kill);
    if (!this.alive) return this.#child.exitCode;
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGTERM');
    const [code] = (await ended) as [number | null];
    return code;
  }

  #hear(line: string): void {
    this.url ||= /"url":"(http:[^"]+)"/.exec(line)?.[1] ?? '';
    if (line !== '' && !/^\{"level":"(trace|debug|info|warn)"/.test(line)) this.faults.push(line);
  }
}

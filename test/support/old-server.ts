import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import { until } from './yamabiko.ts';

const FOLDER = fileURLToPath(new URL('../old-server/', import.meta.url));
const LOCK = join(FOLDER, 'package-lock.json');
const INSTALLED = join(FOLDER, 'node_modules/.package-lock.json');
const APP = { appId: 'app', key: 'key' };

/** laravel-echo-server 1.6.3, as people run it: from its own npm package, by its own command and config file. */
export class OldServer {
  readonly port: number;
  /** Where its laravel-echo-server.json lies. */
  readonly folder: string;
  readonly #process: ChildProcess;

  private constructor(folder: string, port: number, process: ChildProcess) {
    this.folder = folder;
    this.port = port;
    this.#process = process;
  }

  /** From npm, by the lock, into a folder of its own. */
  static install(): void {
    if (existsSync(INSTALLED) && statSync(INSTALLED).mtimeMs >= statSync(LOCK).mtimeMs) return;
    // Its sqlite3 would be compiled; with `database: redis` nothing loads it.
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
    execFileSync('npm', args, { cwd: FOLDER, stdio: 'pipe' });
  }

  /** @param options its own; host, port and the key of the API are the test's */
  static async start(options: object): Promise<OldServer> {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), 'laravel-echo-server-'));
    const config = { host: '127.0.0.1', port, clients: [APP], ...options };
    writeFileSync(join(folder, 'laravel-echo-server.json'), JSON.stringify(config));
    const script = join(FOLDER, 'node_modules/laravel-echo-server/bin/server.js');
    const child = spawn(process.execPath, [script, 'start'], {
      cwd: folder,
      env: { PATH: process.env.PATH },
      stdio: 'ignore',
    });
    const server = new OldServer(folder, port, child);
    const answers = async () => (await fetch(`${server.url}/`).catch(() => null))?.status === 200;
    await until(answers, 'laravel-echo-server answers', 30_000);
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Resolves when a channel has so many subscriptions: it does not answer a subscribe. */
  subscribed(wire: string, count: number): Promise<void> {
    const url = `${this.url}/apps/${APP.appId}/channels/${wire}?auth_key=${APP.key}`;
    const counted = async () => {
      const { subscription_count: now } = (await (await fetch(url)).json()) as { subscription_count: number };
      return now === count;
    };
    return until(counted, `${wire} has ${count} subscriptions`);
  }

  async stop(): Promise<void> {
    const gone = once(this.#process, 'exit');
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill('SIGKILL');
      await gone;
    }
    rmSync(this.folder, { recursive: true });
  }
}

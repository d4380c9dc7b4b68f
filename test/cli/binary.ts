import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** The built command, as a user runs it; `npm test` builds it when it is stale. */
const BINARY = fileURLToPath(new URL('../../dist/server/main.js', import.meta.url));
/** The same command line around a server that does what the test says. */
export const FAKE_BINARY = fileURLToPath(new URL('./fake-server.mjs', import.meta.url));

export const SECRET = 'a-secret-that-has-32-bytes-or-so';

export interface Invocation {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly script?: string;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running command whose output can be awaited. */
export class Running {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #news = new EventTarget();

  constructor(args: readonly string[], { env = {}, cwd = emptyFolder(), script = BINARY }: Invocation) {
    if (!existsSync(BINARY)) throw new Error('dist/ is missing: npm run build');
    // Nothing of our own environment but what finds programs: it may hold settings.
    const child = spawn(process.execPath, [script, ...args], {
      cwd,
      env: { PATH: process.env.PATH, ...env },
    });
    this.#child = child;
    const hear = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
      this[stream] += chunk.toString();
      this.#news.dispatchEvent(new Event('output'));
    };
    child.stdout.on('data', hear('stdout'));
    child.stderr.on('data', hear('stderr'));
    this.ended = once(child, 'close').then(([code, signal]) => {
      this.#news.dispatchEvent(new Event('output'));
      return { code, signal, stdout: this.stdout, stderr: this.stderr } as Ended;
    });
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await this.ended;
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until the output matches. @throws where it ends without */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.stdout + this.stderr);
      if (found !== null) return found;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null)
        throw new Error(`ended without saying ${pattern}:\n${this.stdout}${this.stderr}`);
      await new Promise((resolve) => this.#news.addEventListener('output', resolve, { once: true }));
    }
  }
}

export function run(args: readonly string[], invocation: Invocation = {}): Promise<Ended> {
  return new Running(args, invocation).ended;
}

export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'yamabiko-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

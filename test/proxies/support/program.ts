import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { until } from '../../support/yamabiko.ts';

/** A program that serves in the foreground until it is told to end. */
export class Program {
  output = '';
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #endWithUs = () => this.#child.kill('SIGTERM');

  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const { PATH = '' } = process.env;
    // Nothing of our own environment but what finds programs: it may hold settings.
    this.#child = spawn(command, args, { env: { PATH: `${PATH}:/usr/sbin`, ...env }, cwd: '/' });
    process.once('exit', this.#endWithUs);
    const hear = (chunk: Buffer) => {
      this.output += chunk;
    };
    this.#child.stdout?.on('data', hear);
    this.#child.stderr?.on('data', hear);
    this.#child.once('error', (error) => {
      this.output += error.message;
    });
    this.ended = once(this.#child, 'close').then(([code]) => {
      process.off('exit', this.#endWithUs);
      return code as number | null;
    });
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null && this.#child.pid !== undefined;
  }

  /** Resolves when it listens. @throws where it ends instead */
  async listensOn(port: number): Promise<void> {
    await until(
      async () => !this.running || (await accepts(port)),
      () => `it listens: ${this.output}`,
      20_000,
    );
    if (!this.running) throw new Error(`it ended instead of listening on ${port}:\n${this.output}`);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** SIGTERM. @returns the exit code */
  async stop(): Promise<number | null> {
    this.kill('SIGTERM');
    return this.ended;
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

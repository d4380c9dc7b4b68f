import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** A process of the bench, ended by its pid when the bench ends. */
export class Child {
  readonly #process: ChildProcess;
  readonly #killWithUs = () => this.#process.kill('SIGKILL');

  /**
   * @param onCpu 0 or 1: server and generator must not take each other's time
   * @param asked whether it is one of Node that answers `ask`
   */
  constructor(
    onCpu: number,
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    asked = false,
  ) {
    this.#process = spawn('taskset', ['-c', String(onCpu), command, ...args], {
      env: { ...process.env, ...env },
      stdio: asked ? ['ignore', 'pipe', 'inherit', 'ipc'] : ['ignore', 'pipe', 'inherit'],
    });
    process.once('exit', this.#killWithUs);
  }

  /** The first line of its output that matches. */
  async line(pattern: RegExp): Promise<string> {
    const { stdout } = this.#process;
    if (stdout === null) throw new Error('no output');
    for await (const line of createInterface({ input: stdout })) {
      if (!pattern.test(line)) continue;
      stdout.resume();
      return line;
    }
    throw new Error(`the process ended before it said ${pattern}`);
  }

  /** User and system time so far, in microseconds (Linux counts in hundredths of a second). */
  cpuMicroseconds(): number {
    const stat = readFileSync(`/proc/${this.#process.pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  }

  /** Its answer to a question by message (self-report.ts). */
  async ask(question: string): Promise<unknown> {
    const answered = once(this.#process, 'message');
    this.#process.send(question);
    const [answer] = await answered;
    return answer;
  }

  async stop(): Promise<void> {
    process.off('exit', this.#killWithUs);
    if (this.#process.exitCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    await ended;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** Servers have the first core for themselves; the generator and Redis share the other. */
export const SERVER_CPU = 0;
export const GENERATOR_CPU = 1;

/** A process of the bench, ended by its pid when the bench ends. */
export class Child {
  readonly #process: ChildProcess;
  readonly #killWithUs = () => this.#process.kill('SIGKILL');

  /**
   * @param onCpu 0 or 1: server and generator must not take each other's time
   * @param asked whether it is one of Node that answers `ask`
   * @param heard whether what it says on stderr is shown
   */
  constructor(
    onCpu: number,
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    asked = false,
    heard = true,
  ) {
    const stderr = heard ? 'inherit' : 'ignore';
    this.#process = spawn('taskset', ['-c', String(onCpu), command, ...args], {
      env: { ...process.env, ...env },
      stdio: asked ? ['ignore', 'pipe', stderr, 'ipc'] : ['ignore', 'pipe', stderr],
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

  /** User and system time of all its threads so far, in microseconds. */
  cpuMicroseconds(): number {
    const tasks = `/proc/${this.#process.pid}/task`;
    const nanoseconds = readdirSync(tasks).map((task) =>
      Number(readFileSync(`${tasks}/${task}/schedstat`, 'latin1').split(' ')[0]),
    );
    return nanoseconds.reduce((sum, time) => sum + time, 0) / 1000;
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

/** Keeps the generator, which is this process, off the servers' core. */
export function stayOffServers(): void {
  spawnSync('taskset', ['-acp', String(GENERATOR_CPU), String(process.pid)]);
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

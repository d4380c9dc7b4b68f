import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Published, Span } from './journal.ts';

export interface NodeLogLine {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly reason?: string;
  readonly [field: string]: unknown;
}

interface Gap extends Span {
  readonly reason: string;
}

/** A gap is noticed a little after it begins, on a busy machine later. */
const NOTICED_WITHIN_MS = 5_000;
/** What is published just before the bus is ready again may still have met no subscription. */
const READY_SLACK_MS = 500;

/** One process of the built server, from its start to its end. */
export class ClusterNode {
  readonly name: string;
  url = '';
  ready = false;
  /** From when its death, or its drain, may be seen by others. */
  endingAt: number | null = null;
  readonly gaps: Gap[] = [];
  readonly freezes: Span[] = [];
  /** Times that it found its lease lost. */
  readonly leaseLosses: number[] = [];
  readonly errors: NodeLogLine[] = [];
  /** The last lines of its log, for the story. */
  readonly tail: string[] = [];
  readonly #child: ChildProcess;
  readonly #listens: Promise<void>;
  readonly ended: Promise<number | null>;

  /** @param main the built `main.js` */
  constructor(name: string, main: string, env: Readonly<Record<string, string>>) {
    this.name = name;
    const child = spawn(process.execPath, [main, 'start'], {
      cwd: tmpdir(),
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const killWithUs = () => child.kill('SIGKILL');
    process.once('exit', killWithUs);
    child.stderr.on('data', (chunk: Buffer) => this.#keep(`stderr: ${chunk}`));
    const lines = createInterface({ input: child.stdout });
    this.#listens = new Promise((resolve) => {
      lines.on('line', (line) => {
        const url = this.#hear(line);
        if (url === null) return;
        this.url = url;
        resolve();
      });
    });
    this.ended = once(child, 'close').then(([code]) => {
      process.off('exit', killWithUs);
      this.ready = false;
      this.endingAt ??= Date.now();
      return code as number | null;
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Neither dead nor about to be. */
  get alive(): boolean {
    return this.endingAt === null && this.url !== '';
  }

  get frozen(): boolean {
    return this.freezes.at(-1)?.to === null;
  }

  /** @throws where it ends instead */
  async listening(): Promise<void> {
    const died = this.ended.then((code) => {
      throw new Error(`${this.name} ended with ${code} instead of listening:\n${this.tail.join('\n')}`);
    });
    await Promise.race([this.#listens, died]);
    died.catch(() => {});
  }

  kill(): void {
    this.endingAt = Date.now();
    this.#child.kill('SIGKILL');
  }

  terminate(): void {
    this.endingAt = Date.now();
    this.#child.kill('SIGTERM');
  }

  freeze(): void {
    this.freezes.push({ from: Date.now(), to: null });
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    const span = this.freezes.at(-1);
    if (span?.to !== null) return;
    span.to = Date.now();
    this.#child.kill('SIGCONT');
  }

  /** Asks once, as a balancer does. */
  async poll(): Promise<void> {
    if (!this.alive || this.frozen) {
      this.ready = false;
      return;
    }
    try {
      const response = await fetch(`${this.url}/health/ready`, { signal: AbortSignal.timeout(1_500) });
      await response.arrayBuffer();
      this.ready = response.status === 200 && this.alive;
    } catch {
      this.ready = false;
    }
  }

  /** Whether it has told that something was lost when this was published. */
  told({ begunAt, heardAt }: Pick<Published, 'begunAt' | 'heardAt'>): boolean {
    return this.gaps.some(({ from, to }) => {
      const noticed = this.freezes.find((f) => f.from <= from && from <= (f.to ?? from) + NOTICED_WITHIN_MS);
      const begins = Math.min(from, noticed?.from ?? from) - NOTICED_WITHIN_MS;
      return heardAt >= begins && begunAt <= (to ?? Number.POSITIVE_INFINITY) + READY_SLACK_MS;
    });
  }

  frozeIn(from: number, to: number): boolean {
    return this.freezes.some((f) => f.from <= to && (f.to ?? Number.POSITIVE_INFINITY) >= from);
  }

  /** The sum of a metric over all its labels. */
  async metric(...names: string[]): Promise<number[]> {
    const response = await fetch(`${this.url}/metrics`, { signal: AbortSignal.timeout(3_000) });
    const lines = (await response.text()).split('\n');
    return names.map((name) =>
      lines
        .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0),
    );
  }

  /** Ends it, whatever it does. */
  async discard(): Promise<void> {
    this.kill();
    await Promise.race([this.ended, sleep(5_000)]);
  }

  #hear(text: string): string | null {
    let line: NodeLogLine;
    try {
      line = JSON.parse(text) as NodeLogLine;
    } catch {
      this.#keep(text);
      return null;
    }
    if (line.level !== 'debug') this.#keep(text.slice(0, 300));
    const at = Date.parse(line.time);
    if (line.msg === 'broadcasts may have been lost')
      this.gaps.push({ from: at, to: line.ongoing === false ? at : null, reason: String(line.reason) });
    if (line.msg.startsWith('the gap is over')) for (const gap of this.gaps) gap.to ??= at;
    if (line.msg.startsWith('the store has lost this node')) this.leaseLosses.push(at);
    if (line.level === 'error' || line.level === 'fatal') this.errors.push(line);
    return /"url":"(http:[^"]+)"/.exec(text)?.[1] ?? null;
  }

  #keep(line: string): void {
    this.tail.push(line.trimEnd());
    if (this.tail.length > 40) this.tail.shift();
  }
}

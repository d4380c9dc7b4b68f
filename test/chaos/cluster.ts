import { setTimeout as sleep } from 'node:timers/promises';
import { TEST_SECRET } from '../support/jwt.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import { ClusterNode } from './cluster-node.ts';
import type { Recorder } from './report.ts';

/** Of a node's lease. */
export const NODE_TTL_MS = 3_000;
const DRAIN_MS = 4_000;
const POLL_MS = 250;
const START_MS = 30_000;
/** Beyond its drain, on a busy machine. */
const STOP_SLACK_MS = 8_000;

export interface ClusterOptions {
  readonly main: string;
  readonly redisUrl: string;
  readonly authUrl: string;
  readonly prefix: string;
  readonly graceMs: number;
  /** Of the names of its nodes, one for each place. */
  readonly letters: readonly string[];
  readonly recorder: Recorder;
  readonly random: SeededRandom;
  /** More settings of its nodes. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Three places for nodes; who dies is followed by another in its place. */
export class Cluster {
  readonly slots: ClusterNode[] = [];
  /** All that ever ran. */
  readonly nodes: ClusterNode[] = [];
  readonly #main: string;
  readonly #letters: readonly string[];
  readonly #env: Readonly<Record<string, string>>;
  readonly #recorder: Recorder;
  readonly #random: SeededRandom;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: ClusterOptions) {
    this.#main = options.main;
    this.#letters = options.letters;
    this.#recorder = options.recorder;
    this.#random = options.random;
    this.#env = {
      YAMABIKO_HOST: '127.0.0.1',
      YAMABIKO_PORT: '0',
      YAMABIKO_JWT_SECRET: TEST_SECRET,
      YAMABIKO_LOG_FORMAT: 'json',
      YAMABIKO_REDIS_URL: options.redisUrl,
      YAMABIKO_REDIS_PREFIX: options.prefix,
      YAMABIKO_AUTH_URL: options.authUrl,
      YAMABIKO_APPS: 'app:key',
      YAMABIKO_NODE_TTL_MS: String(NODE_TTL_MS),
      YAMABIKO_PRESENCE_GRACE_MS: String(options.graceMs),
      YAMABIKO_DRAIN_MS: String(DRAIN_MS),
      // A polling client that gave up on a frozen node is found gone in time for a quiet point.
      YAMABIKO_PING_INTERVAL_MS: '6000',
      YAMABIKO_PING_TIMEOUT_MS: '5000',
      ...options.env,
    };
  }

  async open(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, (_, slot) => this.fill(slot)));
    this.#timer = setInterval(() => void Promise.all(this.slots.map((node) => node.poll())), POLL_MS);
  }

  /** Starts a node in a place, and awaits that it listens. */
  async fill(slot: number): Promise<void> {
    const letter = this.#letters[slot] as string;
    const earlier = this.nodes.filter(({ name }) => name.startsWith(letter)).length;
    const node = new ClusterNode(`${letter}${earlier + 1}`, this.#main, this.#env);
    this.nodes.push(node);
    this.slots[slot] = node;
    this.#recorder.count('nodes started');
    const inTime = await Promise.race([node.listening().then(() => true), sleep(START_MS, false)]);
    if (!inTime) throw new Error(`${node.name} does not listen:\n${node.tail.join('\n')}`);
  }

  /** As a balancer that asks for health: a ready node, or any that lives. */
  pick(): ClusterNode {
    const alive = this.slots.filter((node) => node.alive);
    const ready = alive.filter((node) => node.ready);
    return this.#random.pick(ready.length > 0 ? ready : alive.length > 0 ? alive : this.slots);
  }

  get allReady(): boolean {
    return this.slots.every((node) => node.alive && node.ready);
  }

  /** Nodes that answer now. */
  get working(): ClusterNode[] {
    return this.slots.filter((node) => node.alive && !node.frozen);
  }

  /** Awaits the end of a node that was told to end, and what it must leave behind. */
  async awaitExit(node: ClusterNode): Promise<void> {
    const code = await Promise.race([node.ended, sleep(DRAIN_MS + STOP_SLACK_MS, 'never')]);
    if (code === 0) return;
    this.#recorder.violation('bad exit', `${node.name} ended with ${code} after SIGTERM`, () =>
      node.tail.join('\n'),
    );
  }

  /** Ends them in good order, and looks at what they logged. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const node of this.slots) {
      node.thaw();
      if (node.alive) {
        node.terminate();
        await this.awaitExit(node);
      }
    }
    for (const node of this.nodes) {
      for (const line of node.errors)
        this.#recorder.violation('error logged', `${node.name}: ${JSON.stringify(line)}`);
      this.#recorder.count('gaps told', node.gaps.length);
      this.#recorder.count('leases found lost', node.leaseLosses.length);
    }
  }

  discard(): Promise<unknown> {
    if (this.#timer !== null) clearInterval(this.#timer);
    return Promise.all(this.nodes.map((node) => node.discard()));
  }
}

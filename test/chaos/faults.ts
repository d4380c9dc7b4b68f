import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisServer } from '../support/redis-server.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { Cluster } from './cluster.ts';
import { NodeFaults } from './node-faults.ts';
import type { RedisHurt } from './presence-check.ts';
import { RedisFaults } from './redis-faults.ts';
import type { Recorder } from './report.ts';
import type { Visitor } from './visitor.ts';

export interface FaultsOptions {
  readonly cluster: Cluster;
  readonly control: Cluster;
  readonly redis: RedisServer;
  readonly visitors: readonly Visitor[];
  readonly graceMs: number;
  readonly random: SeededRandom;
  readonly recorder: Recorder;
  /** Where it is told when Redis was hurt. */
  readonly hurts: RedisHurt[];
  readonly tell: (line: string) => void;
  /** A client goes until after the next quiet point. */
  readonly sendAway: (visitor: Visitor) => void;
  /** These alone. */
  readonly only: readonly Fault[];
}

/** What can happen to a cluster that is looked after: so many of each in a bag, which is emptied before it is filled anew. */
const DAILY = {
  kill: 2,
  killWriter: 2,
  terminate: 2,
  terminateWriter: 2,
  freeze: 2,
  freezeWriter: 1,
  killSubscriber: 2,
  killReader: 1,
  killNormal: 1,
  pauseRedis: 1,
  sleepRedis: 1,
};

/** An empty Redis hides what dead nodes left, so there are few. */
const DISASTERS = { killSubscribers: 2, flushRedis: 1, crashRedis: 1 };

const BAGS = {
  /** One at a time, as an operator goes on: the next one when all nodes are ready. */
  ops: { ...DAILY, cutClients: 2 },
  /** One at a time, without waiting. */
  hard: { ...DAILY, cutClients: 2, killSubscribers: 4 },
  /** Several at once. */
  wild: { ...DAILY, cutClients: 4, ...DISASTERS },
} as const;

export type Mix = keyof typeof BAGS;
export const MIXES = Object.keys(BAGS) as readonly Mix[];

export type Fault = keyof typeof DAILY | keyof typeof DISASTERS | 'cutClients';

/** All that can be asked for. */
export const FAULTS = Object.keys(BAGS.wild) as readonly Fault[];

const READY_MS = 20_000;
const LOOK_MS = 100;
const NOTICED_MS = 600;

/** At random from the seed; `stop` ends all of them early. */
export class Faults {
  readonly #options: FaultsOptions;
  readonly #nodes: NodeFaults;
  readonly #redis: RedisFaults;
  readonly #ongoing = new Set<Promise<void>>();
  readonly #bags: Record<Mix, Fault[]> = { ops: [], hard: [], wild: [] };
  #hurry = new AbortController();
  /** Faults of this run. */
  count = 0;
  /** The last ones, for the story. */
  readonly told: string[] = [];

  constructor(options: FaultsOptions) {
    this.#options = options;
    const shared = {
      tell: (line: string) => this.#tell(line),
      pause: (lowMs: number, highMs: number) => this.#pause(lowMs, highMs),
    };
    this.#nodes = new NodeFaults({ ...options, ...shared });
    this.#redis = new RedisFaults({ ...options, ...shared });
  }

  /** Makes faults for so long. */
  async run(mix: Mix, ms: number): Promise<void> {
    this.#hurry = new AbortController();
    const endsAt = Date.now() + ms;
    const timer = setTimeout(() => this.#hurry.abort(), ms);
    while (Date.now() < endsAt) {
      await (mix === 'hard' ? this.#pause(100, 600) : this.#pause(400, 1_600));
      if (Date.now() >= endsAt) break;
      const fault = this.#next(mix);
      if (fault === null) continue;
      const running = this.#begin(fault);
      if (mix !== 'wild') await running;
      if (mix === 'ops') await this.#allReady();
    }
    clearTimeout(timer);
  }

  /** Everything is whole again when it resolves: nodes run, Redis answers. */
  async stop(): Promise<void> {
    this.#hurry.abort();
    while (this.#ongoing.size > 0) await Promise.all(this.#ongoing);
  }

  #next(mix: Mix): Fault | null {
    if (this.#bags[mix].length === 0) {
      const { random, only } = this.#options;
      const all = Object.entries(BAGS[mix]).flatMap(([fault, times]) =>
        only.includes(fault as Fault) ? Array<Fault>(times).fill(fault as Fault) : [],
      );
      this.#bags[mix] = random.shuffled(all);
    }
    const bag = this.#bags[mix];
    const at = bag.findIndex((fault) => this.#possible(fault));
    return at < 0 ? null : (bag.splice(at, 1)[0] ?? null);
  }

  #possible(fault: Fault): boolean {
    if (fault === 'cutClients') return true;
    return fault in NODE_FAULTS ? this.#nodes.possible : this.#redis.possible;
  }

  #begin(fault: Fault): Promise<void> {
    this.count++;
    this.#options.recorder.count(`fault: ${fault}`);
    const running = this.#make(fault)
      .catch((error: unknown) => this.#tell(`${fault} failed: ${error}`))
      .finally(() => this.#ongoing.delete(running));
    this.#ongoing.add(running);
    return running;
  }

  #make(fault: Fault): Promise<void> {
    if (fault === 'cutClients') return this.#cutClients();
    if (isNodeFault(fault)) {
      const [what, choice] = NODE_FAULTS[fault];
      return this.#nodes[what](choice);
    }
    return this.#redis[fault]();
  }

  async #cutClients(): Promise<void> {
    const { visitors, random } = this.#options;
    const cut = visitors.filter(() => random.chance(0.3));
    this.#tell(`cut ${cut.length} clients`);
    for (const visitor of cut) if (visitor.wanted) visitor.cut();
  }

  async #allReady(): Promise<void> {
    const { cluster, control } = this.#options;
    const limit = Date.now() + READY_MS;
    // A node tells the loss of a connection within half a second; what it said before counts no more.
    await sleep(NOTICED_MS);
    await Promise.all([...cluster.slots, ...control.slots].map((node) => node.poll()));
    while (!(cluster.allReady && control.allReady) && Date.now() < limit) await sleep(LOOK_MS);
  }

  #tell(line: string): void {
    this.told.push(`${new Date().toISOString().slice(11)} ${line}`);
    if (this.told.length > 25) this.told.shift();
    this.#options.tell(line);
  }

  async #pause(lowMs: number, highMs: number): Promise<void> {
    const ms = this.#options.random.between(lowMs, highMs);
    await sleep(ms, null, { signal: this.#hurry.signal }).catch(() => {});
  }
}

const NODE_FAULTS = {
  kill: ['kill', 'any'],
  killWriter: ['kill', 'writer'],
  terminate: ['terminate', 'any'],
  terminateWriter: ['terminate', 'writer'],
  freeze: ['freeze', 'any'],
  freezeWriter: ['freeze', 'writer'],
} as const;

function isNodeFault(fault: Fault): fault is keyof typeof NODE_FAULTS {
  return fault in NODE_FAULTS;
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisServer } from '../support/redis-server.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { Cluster } from './cluster.ts';
import type { RedisHurt } from './presence-check.ts';
import type { Recorder } from './report.ts';
import type { Visitor } from './visitor.ts';

export interface FaultsOptions {
  readonly cluster: Cluster;
  readonly redis: RedisServer;
  readonly visitors: readonly Visitor[];
  readonly random: SeededRandom;
  readonly recorder: Recorder;
  /** Where it is told when Redis was hurt. */
  readonly hurts: RedisHurt[];
  readonly tell: (line: string) => void;
  /** A client goes until after the next quiet point. */
  readonly sendAway: (visitor: Visitor) => void;
}

/** So many of each in a bag, which is emptied before it is filled anew. An empty Redis hides what dead nodes left. */
const BAG = {
  kill: 4,
  terminate: 4,
  freeze: 4,
  cutClients: 5,
  killSubscriber: 3,
  killSubscribers: 2,
  killNormal: 2,
  pauseRedis: 2,
  sleepRedis: 2,
  flushRedis: 1,
  crashRedis: 1,
} as const;

type Fault = keyof typeof BAG;

/** At random from the seed, several at once where they allow it; `stop` ends all of them early. */
export class Faults {
  readonly #options: FaultsOptions;
  readonly #ongoing = new Set<Promise<void>>();
  #bag: Fault[] = [];
  #hurry = new AbortController();
  #redisHurt = false;
  /** The last ones, for the story. */
  readonly told: string[] = [];

  constructor(options: FaultsOptions) {
    this.#options = options;
  }

  /** Makes faults for so long. */
  async run(ms: number): Promise<void> {
    this.#hurry = new AbortController();
    const { random } = this.#options;
    const endsAt = Date.now() + ms;
    while (Date.now() < endsAt) {
      await sleep(random.between(400, 1_600));
      const fault = this.#next();
      if (fault !== null) this.#begin(fault);
    }
  }

  /** Everything is whole again when it resolves: nodes run, Redis answers. */
  async stop(): Promise<void> {
    this.#hurry.abort();
    while (this.#ongoing.size > 0) await Promise.all(this.#ongoing);
  }

  #next(): Fault | null {
    if (this.#bag.length === 0) {
      const all = Object.entries(BAG).flatMap(([fault, times]) => Array<Fault>(times).fill(fault as Fault));
      this.#bag = this.#options.random.shuffled(all);
    }
    const at = this.#bag.findIndex((fault) => this.#possible(fault));
    return at < 0 ? null : (this.#bag.splice(at, 1)[0] ?? null);
  }

  #possible(fault: Fault): boolean {
    switch (fault) {
      case 'kill':
      case 'terminate':
      case 'freeze':
        // Somewhere clients must be able to go.
        return this.#options.cluster.working.length >= 2;
      case 'cutClients':
        return true;
      default:
        return !this.#redisHurt;
    }
  }

  #begin(fault: Fault): void {
    const { recorder } = this.#options;
    recorder.count(`fault: ${fault}`);
    const running = this[fault]()
      .catch((error: unknown) => this.#tell(`${fault} failed: ${error}`))
      .finally(() => this.#ongoing.delete(running));
    this.#ongoing.add(running);
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

  async kill(): Promise<void> {
    const { cluster, random } = this.#options;
    const node = random.pick(cluster.working);
    this.#tell(`kill -9 ${node.name}`);
    node.kill();
    // Who comes back at once hides what the dead node left of him.
    for (const visitor of this.#options.visitors)
      if (visitor.node === node && random.chance(0.4)) this.#options.sendAway(visitor);
    await this.#pause(200, 4_000);
    await cluster.fill(cluster.slots.indexOf(node));
  }

  async terminate(): Promise<void> {
    const { cluster, random } = this.#options;
    const node = random.pick(cluster.working);
    this.#tell(`SIGTERM ${node.name}`);
    node.terminate();
    await cluster.awaitExit(node);
    await this.#pause(0, 2_000);
    await cluster.fill(cluster.slots.indexOf(node));
  }

  async freeze(): Promise<void> {
    const { cluster, random } = this.#options;
    const node = random.pick(cluster.working);
    this.#tell(`SIGSTOP ${node.name}`);
    node.freeze();
    await this.#pause(2_000, 6_000);
    node.thaw();
    this.#tell(`SIGCONT ${node.name}`);
  }

  async cutClients(): Promise<void> {
    const { visitors, random } = this.#options;
    const cut = visitors.filter(() => random.chance(0.3));
    this.#tell(`cut ${cut.length} clients`);
    for (const visitor of cut) if (visitor.wanted) visitor.cut();
  }

  killSubscriber(): Promise<void> {
    return this.#killSubscribers((ids) => [this.#options.random.pick(ids)]);
  }

  killSubscribers(): Promise<void> {
    return this.#killSubscribers((ids) => ids);
  }

  async #killSubscribers(choose: (ids: readonly string[]) => readonly string[]): Promise<void> {
    const { client } = this.#options.redis;
    await this.#hurtRedis(false, async () => {
      const list = String(await client.call('CLIENT', 'LIST', 'TYPE', 'pubsub')).split('\n');
      const ids = list
        .filter((line) => line.includes('name=yamabiko-subscriber'))
        .map((l) => l.slice(3).split(' ')[0]);
      if (ids.length === 0) return;
      const chosen = choose(ids as string[]);
      this.#tell(`CLIENT KILL of ${chosen.length} subscribers`);
      for (const id of chosen) await client.call('CLIENT', 'KILL', 'ID', id);
    });
  }

  async killNormal(): Promise<void> {
    await this.#hurtRedis(false, async () => {
      this.#tell('CLIENT KILL TYPE normal');
      await this.#options.redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal');
    });
  }

  async pauseRedis(): Promise<void> {
    const { redis } = this.#options;
    await this.#hurtRedis(true, async () => {
      this.#tell('SIGSTOP Redis');
      redis.pause();
      await this.#pause(1_000, 3_000);
      redis.resume();
      this.#tell('SIGCONT Redis');
    });
  }

  async sleepRedis(): Promise<void> {
    const seconds = this.#options.random.between(1, 3).toFixed(2);
    await this.#hurtRedis(true, async () => {
      this.#tell(`DEBUG SLEEP ${seconds}`);
      await this.#options.redis.client.call('DEBUG', 'SLEEP', seconds);
    });
  }

  async flushRedis(): Promise<void> {
    await this.#hurtRedis(false, async () => {
      this.#tell('FLUSHALL');
      await this.#options.redis.client.flushall();
    });
  }

  async crashRedis(): Promise<void> {
    const { redis } = this.#options;
    await this.#hurtRedis(true, async () => {
      this.#tell('kill -9 Redis');
      await redis.kill();
      await this.#pause(200, 2_000);
      await redis.restart();
      this.#tell('Redis is back, empty');
    });
  }

  /** One at a time: two would be one, harder to tell of. */
  async #hurtRedis(still: boolean, hurt: () => Promise<void>): Promise<void> {
    const span: RedisHurt = { from: Date.now(), to: null, still };
    this.#options.hurts.push(span);
    this.#redisHurt = true;
    try {
      await hurt();
    } finally {
      span.to = Date.now();
      this.#redisHurt = false;
    }
  }
}

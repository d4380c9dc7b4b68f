import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type AuthEndpoint, startAuthEndpoint } from '../support/auth-endpoint.ts';
import { RedisServer } from '../support/redis-server.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { Cluster } from './cluster.ts';
import { EchoVisitor } from './echo-visitor.ts';
import { EventCheck } from './event-check.ts';
import { Faults } from './faults.ts';
import { Journal } from './journal.ts';
import { deadNodesAreForgotten, leftInRedis, nodesHoldNothing } from './leftovers.ts';
import { PresenceCheck } from './presence-check.ts';
import { Publisher } from './publisher.ts';
import { QuietPoint } from './quiet-point.ts';
import { RawVisitor } from './raw-visitor.ts';
import { Recorder, type Report } from './report.ts';
import { castClients, roomsOf } from './scene.ts';
import type { Sight } from './sight.ts';
import type { Company, Visitor } from './visitor.ts';

export interface ChaosOptions {
  readonly seed: number;
  /** How long faults and quiet points take turns, in seconds. */
  readonly seconds: number;
  readonly clients: number;
  /** The built server's `main.js`; a twin has another. */
  readonly main?: string;
  readonly say?: (line: string) => void;
}

const MAIN = fileURLToPath(new URL('../../dist/server/main.js', import.meta.url));
const NODES = 3;
/** How long faults are made before everything must settle. */
const ROUND_MS = 10_000;
const SHORTEST_ROUND_MS = 3_000;
const ACT_MS = 100;

/** Real nodes, a real Redis, clients of every kind, and everything that can happen to them. */
export async function runChaos(options: ChaosOptions): Promise<Report> {
  const run = await ChaosRun.open(options);
  try {
    await run.live();
    await run.end();
    return run.report();
  } finally {
    await run.discard();
  }
}

class ChaosRun {
  readonly #options: ChaosOptions;
  readonly #recorder: Recorder;
  readonly #random: SeededRandom;
  readonly #redis: RedisServer;
  readonly #auth: AuthEndpoint;
  readonly #journal: Journal;
  readonly #cluster: Cluster;
  readonly #visitors: readonly Visitor[];
  readonly #publisher: Publisher;
  readonly #faults: Faults;
  readonly #quiet: QuietPoint;
  readonly #away = new Set<NodeJS.Timeout>();
  readonly #graceMs: number;
  readonly #beganAt = Date.now();

  static async open(options: ChaosOptions): Promise<ChaosRun> {
    const redis = await RedisServer.start(['--enable-debug-command', 'local']);
    const random = new SeededRandom(options.seed);
    const delays = random.fork();
    // Laravel answers when it likes.
    const auth = await startAuthEndpoint(() =>
      sleep(delays.chance(0.03) ? 1_500 : delays.between(0, 150), null),
    );
    const run = new ChaosRun(options, random, redis, auth);
    await run.#start();
    return run;
  }

  private constructor(options: ChaosOptions, random: SeededRandom, redis: RedisServer, auth: AuthEndpoint) {
    this.#options = options;
    this.#random = random;
    this.#redis = redis;
    this.#auth = auth;
    const recorder = new Recorder((line) => this.#say(line));
    this.#recorder = recorder;
    const journal = new Journal(redis.url);
    this.#journal = journal;
    // With a grace as without, everybody who is gone must be gone in the end.
    this.#graceMs = random.fork().pick([0, 2_000]);
    const cluster = new Cluster({
      main: options.main ?? MAIN,
      redisUrl: redis.url,
      authUrl: auth.url,
      graceMs: this.#graceMs,
      recorder,
      random: random.fork(),
    });
    this.#cluster = cluster;
    const cast = castClients(options.clients);
    const everIn = (room: string) =>
      new Set(cast.filter(({ plan }) => roomsOf(plan).includes(room)).map(({ userId }) => String(userId)));
    const storyOf = (client: string) => this.#storyOf(client);
    const events = new EventCheck(journal, recorder, storyOf);
    const presence = new PresenceCheck(recorder, storyOf, everIn);
    const sights = new Set<Sight>();
    const company = (): Company => ({
      random: random.fork(),
      journal,
      events,
      presence,
      recorder,
      sights,
      pickNode: () => cluster.pick(),
    });
    this.#visitors = cast.map((casting) =>
      casting.plan.door === 'raw'
        ? new RawVisitor(casting, casting.plan.room, company())
        : new EchoVisitor(casting, casting.plan, company()),
    );
    const some = random.fork();
    const socketIds = () =>
      [...sights].filter(({ endedAt }) => endedAt === null).map(({ options: { socketId } }) => socketId);
    this.#publisher = new Publisher(redis.url, journal, random.fork(), {
      socketId: () => (socketIds().length === 0 ? null : some.pick(socketIds())),
      userId: () => some.pick(cast).userId,
    });
    this.#faults = new Faults({
      cluster,
      redis,
      visitors: this.#visitors,
      random: random.fork(),
      recorder,
      hurts: presence.hurts,
      tell: (line) => this.#say(line),
      sendAway: (visitor) => visitor.leave(),
    });
    const visitors = this.#visitors;
    this.#quiet = new QuietPoint({ cluster, visitors, sights, events, presence, recorder });
  }

  async #start(): Promise<void> {
    const { seed, seconds, clients } = this.#options;
    this.#say(
      `seed ${seed}: ${clients} clients on ${NODES} nodes for ${seconds} s, presence grace ${this.#graceMs} ms`,
    );
    await this.#journal.open();
    await this.#publisher.open();
    await this.#cluster.open(NODES);
  }

  /** Faults and quiet points in turn. */
  async live(): Promise<void> {
    for (const visitor of this.#visitors) visitor.enter();
    await this.#settle();
    const endsAt = this.#beganAt + this.#options.seconds * 1_000;
    while (endsAt - Date.now() > SHORTEST_ROUND_MS) {
      for (const visitor of this.#visitors) if (!visitor.wanted) visitor.enter();
      this.#publisher.go();
      const acting = setInterval(() => this.#act(), ACT_MS);
      await this.#faults.run(Math.min(ROUND_MS, endsAt - Date.now()));
      clearInterval(acting);
      this.#publisher.pause();
      await this.#faults.stop();
      await this.#settle();
    }
  }

  /** Everybody leaves; nothing of them may remain anywhere. */
  async end(): Promise<void> {
    for (const visitor of this.#visitors) visitor.leave();
    await nodesHoldNothing(this.#cluster.slots, this.#recorder);
    await deadNodesAreForgotten(this.#redis, NODES);
    await this.#cluster.close();
    await leftInRedis(this.#redis, this.#recorder);
  }

  report(): Report {
    this.#recorder.count('events published', this.#journal.entries.length);
    const { seed, seconds } = this.#options;
    const { counts, violations, stories } = this.#recorder;
    return { seed, seconds, counts, violations, stories };
  }

  async discard(): Promise<void> {
    for (const timer of this.#away) clearTimeout(timer);
    for (const visitor of this.#visitors) visitor.leave();
    this.#publisher.close();
    this.#journal.close();
    await this.#cluster.discard();
    await this.#redis.stop();
    await this.#auth.stop();
  }

  async #settle(): Promise<void> {
    // Who is away stays away, so that the truth is not everybody.
    for (const timer of this.#away) clearTimeout(timer);
    this.#away.clear();
    const tookMs = await this.#quiet.reach();
    for (const { key, client } of this.#journal.notPublished())
      this.#recorder.violation('taken but not published', `${key} of ${client}`, () => this.#storyOf(client));
    const { counts } = this.#recorder;
    this.#say(
      `quiet after ${(tookMs / 1_000).toFixed(1)} s: ${this.#journal.entries.length} published, ${counts['events delivered'] ?? 0} delivered, ${counts['events lost in a told gap'] ?? 0} lost in told gaps`,
    );
  }

  /** What people do, a little of it in each moment. */
  #act(): void {
    const random = this.#random;
    for (const visitor of this.#visitors) {
      if (!visitor.wanted) continue;
      const roll = random.next();
      if (roll < 0.08) visitor.speak();
      else if (roll < 0.083) visitor.cut();
      else if (roll < 0.087) visitor.flicker();
      else if (roll < 0.09) this.#goAway(visitor);
    }
  }

  #goAway(visitor: Visitor): void {
    visitor.leave();
    const timer = setTimeout(
      () => {
        this.#away.delete(timer);
        visitor.enter();
      },
      this.#random.between(200, 4_000),
    );
    this.#away.add(timer);
  }

  #storyOf(client: string): string {
    const visitor = this.#visitors.find(({ name }) => name === client);
    return [
      visitor?.story() ?? '',
      '  faults before:',
      ...this.#faults.told.map((line) => `    ${line}`),
    ].join('\n');
  }

  #say(line: string): void {
    const seconds = ((Date.now() - this.#beganAt) / 1_000).toFixed(1).padStart(6);
    (this.#options.say ?? console.log)(`${seconds} s  ${line}`);
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type AuthEndpoint, startAuthEndpoint } from '../support/auth-endpoint.ts';
import { RedisServer } from '../support/redis-server.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { Crowd } from './crowd.ts';
import { EchoVisitor } from './echo-visitor.ts';
import { EventCheck } from './event-check.ts';
import { FAULTS, type Fault, Faults, MIXES, type Mix } from './faults.ts';
import { deadNodesAreForgotten, leftInRedis, nodesHoldNothing } from './leftovers.ts';
import { isOfPages } from './page-scene.ts';
import { PresenceCheck } from './presence-check.ts';
import { Publisher } from './publisher.ts';
import { QuietPoint } from './quiet-point.ts';
import { RawVisitor } from './raw-visitor.ts';
import { Recorder, type Report } from './report.ts';
import { Rows } from './rows.ts';
import { castClients, EVENT_WIRES, MESSAGE_WIRES, PREFIX, ROOMS, usersOf } from './scene.ts';
import type { Sight } from './sight.ts';
import type { Company } from './visitor.ts';

export interface ChaosOptions {
  readonly seed: number;
  /** How long faults and quiet points take turns, in seconds. */
  readonly seconds: number;
  readonly clients: number;
  /** On the nodes with a history; half as many are on those without. */
  readonly pages: number;
  /** Published for the pages of each row. */
  readonly eventsPerSecond: number;
  /** Rounds of these, in turn. Default: all. */
  readonly mixes?: readonly Mix[];
  /** These faults alone. Default: all. */
  readonly faults?: readonly Fault[];
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
  readonly #redis: RedisServer;
  readonly #auth: AuthEndpoint;
  readonly #rows: Rows;
  readonly #crowd: Crowd;
  readonly #publisher: Publisher;
  readonly #faults: Faults;
  readonly #quiet: QuietPoint;
  readonly #graceMs: number;
  readonly #beganAt = Date.now();

  static async open(options: ChaosOptions): Promise<ChaosRun> {
    const redis = await RedisServer.start(['--enable-debug-command', 'local']);
    const random = new SeededRandom(options.seed);
    const delays = random.fork();
    // Laravel answers when it likes.
    const auth = await startAuthEndpoint(({ channel }) => {
      if (isOfPages(channel)) return sleep(delays.between(5, 155), null);
      return sleep(delays.chance(0.03) ? 1_500 : delays.between(0, 150), null);
    });
    const run = new ChaosRun(options, random, redis, auth);
    await run.#start();
    return run;
  }

  private constructor(options: ChaosOptions, random: SeededRandom, redis: RedisServer, auth: AuthEndpoint) {
    this.#options = options;
    this.#redis = redis;
    this.#auth = auth;
    const recorder = new Recorder((line) => this.#say(line));
    this.#recorder = recorder;
    // With a grace as without, everybody who is gone must be gone in the end.
    this.#graceMs = random.fork().pick([0, 2_000]);
    this.#rows = new Rows({
      main: options.main ?? MAIN,
      redisUrl: redis.url,
      authUrl: auth.url,
      graceMs: this.#graceMs,
      recorder,
      random: random.fork(),
      pages: options.pages,
      eventsPerSecond: options.eventsPerSecond,
      faultsBefore: () => this.#faults.told,
    });
    const { cluster, control, journal } = this.#rows;
    const cast = castClients(options.clients);
    const storyOf = (client: string) => this.#storyOf(client);
    const events = new EventCheck(journal, recorder, storyOf);
    const presence = new PresenceCheck(recorder, storyOf, (room) => usersOf(cast, room));
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
    const visitors = cast.map((casting) =>
      casting.plan.door === 'raw'
        ? new RawVisitor(casting, casting.plan.room, company())
        : new EchoVisitor(casting, casting.plan, company()),
    );
    this.#crowd = new Crowd(visitors, random.fork());
    const some = random.fork();
    const socketIds = () =>
      [...sights].filter(({ endedAt }) => endedAt === null).map(({ options: { socketId } }) => socketId);
    this.#publisher = new Publisher({
      url: redis.url,
      prefix: PREFIX,
      letter: 'L',
      journal,
      random: random.fork(),
      eventWires: EVENT_WIRES,
      messageWires: MESSAGE_WIRES,
      rooms: ROOMS,
      someSocketId: () => some.of(socketIds()) ?? null,
      someUserId: () => some.pick(cast).userId,
    });
    this.#faults = new Faults({
      cluster,
      control,
      redis,
      visitors,
      graceMs: this.#graceMs,
      random: random.fork(),
      recorder,
      hurts: presence.hurts,
      tell: (line) => this.#say(line),
      sendAway: (visitor) => visitor.leave(),
      only: options.faults ?? FAULTS,
    });
    this.#quiet = new QuietPoint({
      rows: this.#rows,
      visitors,
      sights,
      events,
      presence,
      recorder,
    });
  }

  async #start(): Promise<void> {
    const { seed, seconds, clients, pages } = this.#options;
    this.#say(
      `seed ${seed}: ${clients} clients and ${pages} pages on ${NODES} nodes for ${seconds} s, presence grace ${this.#graceMs} ms`,
    );
    await this.#rows.open(NODES);
    await this.#publisher.open();
  }

  /** Faults and quiet points in turn. */
  async live(): Promise<void> {
    this.#crowd.enter();
    await this.#settle();
    const endsAt = Date.now() + this.#options.seconds * 1_000;
    const mixes = this.#options.mixes ?? MIXES;
    for (let round = 0; round < mixes.length || endsAt - Date.now() > SHORTEST_ROUND_MS; round++) {
      const mix = mixes[round % mixes.length] as Mix;
      this.#say(`round of ${mix}`);
      this.#crowd.enter();
      this.#publisher.go();
      this.#faults.count = 0;
      this.#rows.begin(mix);
      const acting = setInterval(() => {
        this.#crowd.act();
        this.#rows.act();
      }, ACT_MS);
      await this.#faults.run(mix, Math.max(SHORTEST_ROUND_MS, Math.min(ROUND_MS, endsAt - Date.now())));
      clearInterval(acting);
      this.#publisher.pause();
      this.#rows.pause(mix, this.#faults.count);
      await this.#faults.stop();
      await this.#settle();
    }
  }

  /** Everybody leaves; nothing of them may remain anywhere. */
  async end(): Promise<void> {
    this.#rows.controlMustHaveLost();
    this.#crowd.leave();
    this.#rows.closePages();
    const { cluster, control, journal } = this.#rows;
    this.#recorder.count('events published', journal.entries.length);
    await nodesHoldNothing([...cluster.slots, ...control.slots], this.#recorder);
    await deadNodesAreForgotten(this.#redis, NODES);
    await this.#rows.closeNodes();
    await leftInRedis(this.#redis, this.#recorder);
  }

  report(): Report {
    const { seed, seconds } = this.#options;
    const { counts, violations, stories } = this.#recorder;
    return { seed, seconds, counts, violations, stories, ...this.#rows.tallies() };
  }

  async discard(): Promise<void> {
    this.#crowd.leave();
    this.#publisher.close();
    await this.#rows.discard();
    await this.#redis.stop();
    await this.#auth.stop();
  }

  async #settle(): Promise<void> {
    this.#crowd.rest();
    const tookMs = await this.#quiet.reach();
    for (const { key, client } of this.#rows.journal.notPublished())
      this.#recorder.violation('taken but not published', `${key} of ${client}`, () => this.#storyOf(client));
    const { counts } = this.#recorder;
    this.#say(
      `quiet after ${(tookMs / 1_000).toFixed(1)} s: ${this.#rows.journal.entries.length} published, ${counts['events delivered'] ?? 0} delivered, ${counts['events lost in a told gap'] ?? 0} lost in told gaps`,
    );
  }

  #storyOf(client: string): string {
    const visitor = this.#crowd.visitors.find(({ name }) => name === client);
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

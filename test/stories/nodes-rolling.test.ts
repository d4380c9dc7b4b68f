import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startAuthEndpoint } from '../support/auth-endpoint.ts';
import { patience } from '../support/event-queue.ts';
import { freePort } from '../support/free-port.ts';
import { RedisServer } from '../support/redis-server.ts';
import { ServerProcess } from '../support/server-process.ts';
import type { ClientVersion } from '../support/socket-io.ts';
import { until } from '../support/yamabiko.ts';
import { openConnectorPage, openEchoPage, type Page, RawPage } from './rolling-pages.ts';

patience.ms = 20_000;

const PAGES_OF_EACH_NODE = 6;
const ROOM = 'chat:roll';
const LIMIT_MS = 40_000;

/** Numbers without end, by each way that Laravel has: the custom channel, and its broadcaster's channel. */
class Traffic {
  sent = 0;
  readonly #laravel: Redis;
  #timer: NodeJS.Timeout | undefined;

  constructor(url: string) {
    this.#laravel = new Redis(url);
    onTestFinished(() => {
      clearInterval(this.#timer);
      this.#laravel.disconnect();
    });
  }

  start(): void {
    this.#timer = setInterval(() => void this.publish(), 20);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  publish(): Promise<unknown> {
    const number = ++this.sent;
    const message = { message: String(number), name: 'Laravel' };
    const envelope = (event: string, data: object) =>
      this.#laravel.publish(
        `laravel_database_presence-${ROOM}`,
        JSON.stringify({ event, data, socket: null }),
      );
    if (isEvent(number)) return envelope('Rolled', { number, socket: null });
    if (number % 3 === 1) return envelope('message', { ...message, socket: null });
    return this.#laravel.publish(
      'laravel_database_broadcast',
      JSON.stringify({ channel: ROOM, data: message }),
    );
  }
}

/** Every third is an event of Laravel's that is no message of the room. */
const isEvent = (number: number) => number % 3 === 2;

/** Where one visit misses something, or hears it twice or out of order. @returns what, or null */
function visitFault({ id, kind, hearsEvents, sight }: Page): string | null {
  for (const heard of sight.visits) {
    const [first = 0, last = -1] = [heard[0], heard.at(-1)];
    const all = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    const due = all.filter((number) => hearsEvents || !isEvent(number));
    if (heard.join() !== due.join()) return `${kind} ${id} heard ${heard}`;
  }
  return null;
}

/** Three nodes that are restarted one after the other behind their ports, and one that stays. */
class Stage {
  /** What the balancer sends raw pages to. */
  readonly #living: string[] = [];
  #turn = 0;
  readonly pages: Page[] = [];
  readonly #env: Readonly<Record<string, string>>;
  readonly #ports: string[] = [];
  readonly nodes: ServerProcess[] = [];

  private constructor(env: Readonly<Record<string, string>>) {
    this.#env = env;
  }

  static async open(redisUrl: string): Promise<Stage> {
    const auth = await startAuthEndpoint();
    const stage = new Stage({
      YAMABIKO_REDIS_URL: redisUrl,
      YAMABIKO_AUTH_URL: auth.url,
      YAMABIKO_APPS: 'app:key',
      YAMABIKO_PRESENCE_GRACE_MS: '60000',
    });
    onTestFinished(async () => {
      await Promise.all(stage.pages.map((page) => page.leave()));
      await auth.stop();
    });
    for (let n = 0; n < 3; n++) stage.#ports.push(String(await freePort()));
    stage.nodes.push(...(await Promise.all(['0', ...stage.#ports].map((port) => stage.start(port)))));
    stage.#living.push(...stage.nodes.slice(1).map(({ url }) => url));
    return stage;
  }

  start(port: string): Promise<ServerProcess> {
    return ServerProcess.ready({ ...this.#env, YAMABIKO_PORT: port });
  }

  /** @param n 1 to 3 */
  async restart(n: number): Promise<void> {
    const old = this.nodes[n] as ServerProcess;
    this.#living.splice(this.#living.indexOf(old.url), 1);
    old.kill('SIGTERM');
    expect((await old.ended).code).toBe(0);
    const node = await this.start(this.#ports[n - 1] as string);
    this.nodes[n] = node;
    this.#living.push(node.url);
  }

  #balance(): string {
    return this.#living[this.#turn++ % this.#living.length] ?? '';
  }

  /** @param kind raw, Echo and the connector in turn, and of these one version or way in after the other */
  async enter(n: number, id: number, kind: number): Promise<Page> {
    const url = this.nodes[n]?.url ?? '';
    const turn = Math.floor(kind / 3);
    const page = await [
      async () => new RawPage(id, ROOM, url, () => (n === 0 ? url : this.#balance())),
      () => openEchoPage(id, ROOM, url, ((turn % 3) + 2) as ClientVersion),
      () => openConnectorPage(id, ROOM, url, turn % 2 === 0 ? 'channel' : 'join'),
    ][kind % 3]?.();
    this.pages.push(page as Page);
    return page as Page;
  }

  async http(node: ServerProcess, path: string, method = 'GET'): Promise<unknown> {
    const response = await fetch(`${node.url}/apps/app${path}`, {
      method,
      headers: { authorization: 'Bearer key' },
    });
    return response.json();
  }

  /** Who is there, as that node tells. */
  async members(node: ServerProcess): Promise<string> {
    const { users } = (await this.http(node, `/channels/presence-${ROOM}/users`)) as {
      users?: { id: number }[];
    };
    return String(users?.map(({ id }) => id).sort((a, b) => a - b));
  }

  /** Places that connections hold, over all nodes: who only lingers has none. */
  async seats(): Promise<number> {
    const texts = await Promise.all(
      this.nodes.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()),
    );
    return texts.reduce((sum, text) => sum + Number(/^yamabiko_members (\d+)/m.exec(text)?.[1]), 0);
  }

  /** Everybody leaves, and each node stops by itself. */
  async end(): Promise<void> {
    await Promise.all(this.pages.map((page) => page.leave()));
    for (const node of this.nodes) node.kill('SIGTERM');
    for (const node of this.nodes) expect((await node.ended).code).toBe(0);
  }

  /** Everybody's list, and each node's, says that these are there. */
  async allSee(pages: readonly Page[]): Promise<void> {
    const truth = String(pages.map(({ id }) => id).sort((a, b) => a - b));
    await until(
      () => pages.every(({ sight }) => sight.there === truth),
      () =>
        `every page sees ${truth}: ${pages.map(({ id, kind, sight }) => `\n${kind} ${id}: ${sight.there}`)}`,
      LIMIT_MS,
    );
    for (const node of this.nodes) expect(await this.members(node)).toBe(truth);
  }
}

/** All these pages hear what comes after that number. */
async function allHear(pages: readonly Page[], after: number): Promise<void> {
  const deaf = () => pages.filter(({ sight }) => sight.last <= after);
  const show = ({ id, kind, sight }: Page) => `\n${kind} ${id} heard ${sight.last} last`;
  await until(
    () => deaf().length === 0,
    () => `all hear what comes after ${after}: ${deaf().map(show)}`,
    LIMIT_MS,
  );
}

describe('a rolling restart of three nodes under traffic', { timeout: 180_000 }, () => {
  it('leaves nobody behind, and every list and every page stays right', async () => {
    const redis = await RedisServer.start();
    onTestFinished(() => redis.stop());
    const stage = await Stage.open(redis.url);
    const watcher = await stage.enter(0, 1, 0);
    for (let n = 1; n <= 3; n++)
      for (let i = 0; i < PAGES_OF_EACH_NODE; i++) await stage.enter(n, 100 * n + i, n + i);
    await stage.allSee(stage.pages);
    const rolled = stage.pages.slice(1);
    for (const { sight } of stage.pages) sight.news.length = 0;

    const traffic = new Traffic(redis.url);
    traffic.start();
    await stage.restart(1);
    // Two are ended and two come in the midst of it: lists would be right too if nothing ever changed them.
    const ended = [rolled[8] as Page, rolled[12] as Page];
    expect(ended.map(({ kind }) => kind)).toEqual(['Echo on client 3', 'raw']);
    for (const { id } of ended) {
      const answer = await stage.http(stage.nodes[0] as ServerProcess, `/users/${id}/terminate`, 'POST');
      expect(answer).toEqual({ message: 'ok', connections: 1 });
    }
    const comers = [await stage.enter(1, 901, 0), await stage.enter(0, 902, 2)];
    await stage.restart(2);
    await stage.restart(3);

    const staying = stage.pages.filter((page) => !ended.includes(page));
    await allHear(staying, traffic.sent);
    traffic.stop();
    // One by each way; whoever hears no events has the last but one as his last.
    for (let i = 0; i < 3; i++) await traffic.publish();
    await allHear(staying, traffic.sent - 2);
    await stage.allSee(staying);
    // With a grace those linger on the lists who never came back.
    const seats = () => stage.seats();
    await until(async () => (await seats()) === staying.length, `${staying.length} hold seats`, LIMIT_MS);

    expect(stage.pages.flatMap(({ sight }) => sight.faults)).toEqual([]);
    expect(stage.pages.map(visitFault).filter((fault) => fault !== null)).toEqual([]);
    for (const { id, kind, sight } of staying.filter((page) => rolled.includes(page)))
      expect(sight.visits.length, `${kind} ${id} was away and came back`).toBeGreaterThan(1);
    for (const raw of rolled.filter((page) => page instanceof RawPage && staying.includes(page))) {
      const { homes, codes } = raw as RawPage;
      expect(new Set(homes).size).toBeGreaterThan(1);
      // Told, and not only cut off when the node had ended.
      expect(codes.filter((code) => code !== 1012)).toEqual([]);
    }
    for (const { sight } of [watcher, ...comers]) expect(sight.visits).toHaveLength(1);
    expect(watcher.sight.visits[0]?.[0]).toBe(1);

    // Who comes back was shown to nobody; of the others each page heard at most once, and the watcher of all.
    const news = [...ended.map(({ id }) => `left ${id}`), ...comers.map(({ id }) => `joined ${id}`)].sort();
    expect([...watcher.sight.news].sort()).toEqual(news);
    for (const { sight } of staying) {
      expect(news).toEqual(expect.arrayContaining(sight.news));
      expect(new Set(sight.news).size).toBe(sight.news.length);
    }
    await stage.end();
  });
});

import { describe, expect, it, onTestFinished } from 'vitest';
import { startAuthEndpoint } from '../support/auth-endpoint.ts';
import { DOORS, type Door, type User } from '../support/doors.ts';
import { patience } from '../support/event-queue.ts';
import { freePort } from '../support/free-port.ts';
import { TEST_SECRET } from '../support/jwt.ts';
import { Onlooker } from '../support/onlooker.ts';
import { RedisServer } from '../support/redis-server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { until } from '../support/yamabiko.ts';

patience.ms = 20_000;

const ROOM = 'chat:nodes';
const PREFIX = 'laravel_database_';
const userOf = (id: number): User => ({ id, name: `user${id}` });
const doorNamed = (name: string) => DOORS.find((door) => door.name === name) as Door;
const RAW = doorNamed('raw WebSocket');

/** Built servers on one Redis, and who is in a room of theirs. */
class Stage {
  readonly redis: RedisServer;
  readonly env: Readonly<Record<string, string>>;
  readonly #all: Onlooker[] = [];
  #ids = 0;

  private constructor(redis: RedisServer, env: Readonly<Record<string, string>>) {
    this.redis = redis;
    this.env = env;
  }

  static async open(settings: Readonly<Record<string, string>> = {}): Promise<Stage> {
    const [redis, auth] = [await RedisServer.start(), await startAuthEndpoint()];
    const stage = new Stage(redis, {
      YAMABIKO_REDIS_URL: redis.url,
      YAMABIKO_AUTH_URL: auth.url,
      YAMABIKO_JWT_SECRET: TEST_SECRET,
      YAMABIKO_NODE_TTL_MS: '1500',
      ...settings,
    });
    onTestFinished(async () => {
      await Promise.all(stage.#all.map(({ visitor }) => visitor.leave().catch(() => {})));
      await redis.stop();
      await auth.stop();
    });
    return stage;
  }

  nodes(count: number): Promise<ServerProcess[]> {
    return Promise.all(Array.from({ length: count }, () => ServerProcess.ready(this.env)));
  }

  async enter({ url }: ServerProcess, door: Door = RAW, user = userOf(++this.#ids)): Promise<Onlooker> {
    const one = new Onlooker(await door.enter(url, ROOM, user));
    this.#all.push(one);
    return one;
  }

  /** One by every door. */
  async enterByEveryDoor(node: ServerProcess): Promise<Onlooker[]> {
    const all: Onlooker[] = [];
    for (const door of DOORS) all.push(await this.enter(node, door));
    return all;
  }

  /** What is said now is heard last of all that was caused before. */
  async fence(all: readonly Onlooker[]): Promise<void> {
    const text = `fence ${++this.#ids}`;
    const data = { message: text, name: 'Laravel' };
    await this.redis.client.publish(`${PREFIX}broadcast`, JSON.stringify({ channel: ROOM, data }));
    await until(
      () => all.every((one) => one.look().story.at(-1) === `system: ${text}`),
      () => `all hear ${text}: ${JSON.stringify(all.map(({ story }) => story))}`,
      20_000,
    );
    for (const one of all) one.story.pop();
  }

  /** The nodes as the roster knows them, dead ones that nobody has cleared away too. */
  leases(): Promise<string[]> {
    return this.redis.client.zrange(`${PREFIX}yamabiko:nodes`, 0, '-1');
  }
}

const names = (all: readonly Onlooker[]) => all.map(({ visitor }) => visitor.user.name);
const faultsOf = (all: readonly Onlooker[]) => all.flatMap(({ faults }) => faults);
/** What they heard since they were asked last, without its order. */
const heard = (one: Onlooker) => one.look().story.splice(0).sort();
const lines = (type: string, who: readonly string[]) => who.map((name) => `${type} ${name}`).sort();

describe('A node that is killed', { timeout: 90_000 }, () => {
  it('loses its members on the others, once, but not who has come back elsewhere', async () => {
    const stage = await Stage.open({ YAMABIKO_NODE_TTL_MS: '5000' });
    const [dying, living, third] = (await stage.nodes(3)) as [ServerProcess, ServerProcess, ServerProcess];
    const stayers = [
      await stage.enter(living),
      await stage.enter(third),
      await stage.enter(living, DOORS[3]),
    ];
    const lost = await stage.enterByEveryDoor(dying);
    await stage.fence(stayers);
    for (const stayer of stayers) stayer.story.length = 0;
    dying.kill('SIGKILL');
    await dying.ended;
    const [back, second] = [lost[0] as Onlooker, lost[5] as Onlooker];
    const returned = [
      await stage.enter(living, RAW, back.visitor.user),
      await stage.enter(third, doorNamed('JWT on Socket.IO, plain X'), second.visitor.user),
    ];
    // In the list that they are given all are there still, or the others have left by now: nothing else.
    const gone = lost.filter((one) => one !== back && one !== second);
    const staying = [...stayers, ...returned];
    const left = names([...stayers, back, second]).sort();
    await until(
      () => staying.every((one) => one.look().names().join() === left.join()),
      () => `all see ${left}: ${staying.map((one) => `[${one.names()}]`)}`,
      20_000,
    );
    await stage.fence(staying);
    expect(faultsOf(staying)).toEqual([]);
    for (const stayer of stayers) expect(heard(stayer)).toEqual(lines('left', names(gone)));
    expect(await stage.leases()).toHaveLength(2);
  });

  it('and is back on its port before its lease has ended, loses nobody who comes back', async () => {
    const stage = await Stage.open({
      YAMABIKO_NODE_TTL_MS: '30000',
      YAMABIKO_PORT: String(await freePort()),
    });
    const watcher = await stage.enter(await ServerProcess.ready({ ...stage.env, YAMABIKO_PORT: '0' }));
    const others = await stage.leases();
    const first = await ServerProcess.ready(stage.env);
    const all = await stage.enterByEveryDoor(first);
    await stage.fence([watcher]);
    watcher.story.length = 0;
    const [lost = ''] = (await stage.leases()).filter((name) => !others.includes(name));
    first.kill('SIGKILL');
    await first.ended;
    const again = await ServerProcess.ready(stage.env);
    // Echo comes back and subscribes again by itself; the others need somebody to do it.
    const echo = all.filter((_, i) => DOORS[i]?.name.startsWith('Echo'));
    await stage.enter(again, RAW, all[0]?.visitor.user);
    const seats = async () =>
      Number(/^yamabiko_members (\d+)/m.exec(await (await fetch(`${again.url}/metrics`)).text())?.[1]);
    await until(async () => (await seats()) === echo.length + 1, 'they are back', 40_000);
    // Its time is over, as Redis's clock will have it: the next round of either node sees it.
    await stage.redis.client.zadd(`${PREFIX}yamabiko:nodes`, 1, lost);
    await until(async () => !(await stage.leases()).includes(lost), 'its seats were given up', 30_000);
    await stage.fence([watcher]);
    const gone = all.filter((one, i) => i > 0 && !echo.includes(one));
    expect(heard(watcher)).toEqual(lines('left', names(gone)));
  });
});

describe('A node that is frozen past its lease', { timeout: 90_000 }, () => {
  it('puts itself right when it thaws, and shows its own clients nothing false', async () => {
    const stage = await Stage.open();
    const [frozen, living] = (await stage.nodes(2)) as [ServerProcess, ServerProcess];
    const watcher = await stage.enter(living);
    const leaver = await stage.enter(living, doorNamed('JWT on Socket.IO, plain X'));
    const own = await stage.enterByEveryDoor(frozen);
    await stage.fence([watcher, ...own]);
    for (const one of [watcher, ...own]) one.story.length = 0;
    frozen.kill('SIGSTOP');
    await until(() => watcher.look().shown.size === 2, 'the frozen ones have left', 20_000);
    expect(heard(watcher)).toEqual(lines('left', names(own)));
    const comer = await stage.enter(living);
    await leaver.visitor.leave();
    await until(() => watcher.look().shown.size === 2, 'one has come and one has left');
    watcher.story.length = 0;
    frozen.kill('SIGCONT');
    await until(() => watcher.look().shown.size === 2 + own.length, 'they are there again', 20_000);
    await frozen.answersReady(200);
    const truth = names([watcher, comer, ...own]).sort();
    await until(
      () => own.every((one) => one.look().names().join() === truth.join()),
      () => `all see ${truth}: ${own.map((one) => `[${one.names()}]`)}`,
      20_000,
    );
    await stage.fence([watcher, comer, ...own]);
    expect(faultsOf([watcher, comer, ...own])).toEqual([]);
    expect(heard(watcher)).toEqual(lines('joined', names(own)));
    for (const one of own) {
      expect(heard(one)).toEqual([`joined ${comer.visitor.user.name}`, `left ${leaver.visitor.user.name}`]);
    }
    // Its seats are in order: who leaves now leaves once, and the others stay.
    await own[0]?.visitor.leave();
    await until(() => watcher.look().story.length > 0, 'he leaves');
    await stage.fence([watcher]);
    expect(heard(watcher)).toEqual(lines('left', names(own.slice(0, 1))));
  });
});

describe('SIGTERM with a grace', { timeout: 90_000 }, () => {
  it('lets only those leave who do not come back to another node', async () => {
    const stage = await Stage.open({ YAMABIKO_PRESENCE_GRACE_MS: '8000' });
    const [stopping, living] = (await stage.nodes(2)) as [ServerProcess, ServerProcess];
    const watcher = await stage.enter(living);
    const all = await stage.enterByEveryDoor(stopping);
    await stage.fence([watcher]);
    watcher.story.length = 0;
    stopping.kill('SIGTERM');
    // They come back to the same name of a balancer, that is to the node that lives.
    const returning = all.slice(0, 5);
    for (const [i, { visitor }] of returning.entries()) await stage.enter(living, DOORS[8 - i], visitor.user);
    expect((await stopping.ended).code).toBe(0);
    const gone = all.slice(5);
    await until(() => watcher.look().shown.size === 1 + returning.length, 'the others have left', 30_000);
    await stage.fence([watcher]);
    expect(heard(watcher)).toEqual(lines('left', names(gone)));
    expect(watcher.faults).toEqual([]);
  });
});

import { onTestFinished } from 'vitest';
import { startAuthEndpoint } from '../support/auth-endpoint.ts';
import { DOORS, type Door, type User } from '../support/doors.ts';
import { TEST_SECRET } from '../support/jwt.ts';
import { Onlooker } from '../support/onlooker.ts';
import { RedisServer } from '../support/redis-server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { until } from '../support/yamabiko.ts';

export const ROOM = 'chat:nodes';
export const PREFIX = 'laravel_database_';
const userOf = (id: number): User => ({ id, name: `user${id}` });
export const doorNamed = (name: string) => DOORS.find((door) => door.name === name) as Door;
export const RAW = doorNamed('raw WebSocket');

/** Built servers on one Redis, and who is in a room of theirs. */
export class NodesStage {
  readonly redis: RedisServer;
  readonly env: Readonly<Record<string, string>>;
  readonly #all: Onlooker[] = [];
  #ids = 0;

  private constructor(redis: RedisServer, env: Readonly<Record<string, string>>) {
    this.redis = redis;
    this.env = env;
  }

  static async open(settings: Readonly<Record<string, string>> = {}): Promise<NodesStage> {
    const [redis, auth] = [await RedisServer.start(), await startAuthEndpoint()];
    const stage = new NodesStage(redis, {
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

export const names = (all: readonly Onlooker[]) => all.map(({ visitor }) => visitor.user.name);
export const faultsOf = (all: readonly Onlooker[]) => all.flatMap(({ faults }) => faults);
/** What they heard since they were asked last, without its order. */
export const heard = (one: Onlooker) => one.look().story.splice(0).sort();
export const lines = (type: string, who: readonly string[]) => who.map((name) => `${type} ${name}`).sort();

import { onTestFinished } from 'vitest';
import { type AuthEndpoint, startAuthEndpoint } from '../support/auth-endpoint.ts';
import { DOORS, type Door, type Heard, type User, type Visitor } from '../support/doors.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { RedisServer } from '../support/redis-server.ts';
import { WireClient } from '../support/wire-client.ts';
import { type Running, startYamabiko, until } from '../support/yamabiko.ts';

/** Small, so that the stories wait for leases and not long. */
const NODE_TTL_MS = 1_500;

const PREFIX = 'laravel_database_';

/** One node on a Redis that can be hurt, and its visitors. Ends with its test, every counter at zero. */
export class OutageStage {
  readonly redis: RedisServer;
  readonly auth: AuthEndpoint;
  readonly node: Running;
  readonly #visitors: { leave(): Promise<void> }[] = [];
  #ids = 0;

  private constructor(redis: RedisServer, auth: AuthEndpoint, node: Running) {
    this.redis = redis;
    this.auth = auth;
    this.node = node;
  }

  static async open(env: Readonly<Record<string, string>> = {}): Promise<OutageStage> {
    const [redis, auth] = [await RedisServer.start(), await startAuthEndpoint()];
    onTestFinished(async () => {
      await redis.stop();
      await auth.stop();
    });
    const node = await startYamabiko({
      YAMABIKO_REDIS_URL: redis.url,
      YAMABIKO_AUTH_URL: auth.url,
      YAMABIKO_APPS: 'app:key',
      YAMABIKO_NODE_TTL_MS: String(NODE_TTL_MS),
      YAMABIKO_REDIS_COMMAND_TIMEOUT_MS: '1000',
      ...env,
    });
    const stage = new OutageStage(redis, auth, node);
    // Hooks run from the last to the first: the node stops while it still has its Redis.
    onTestFinished(async () => {
      redis.resume();
      await node.stop();
    });
    return stage;
  }

  /** A visitor of his own user, who leaves by himself or with `end`. */
  async enter(door: Door, room: string, user: User = this.newUser()): Promise<Visitor> {
    const visitor = await door.enter(this.node.url, room, user);
    this.#visitors.push(visitor);
    return visitor;
  }

  newUser(): User {
    const id = ++this.#ids + 100;
    return { id, name: `user${id}` };
  }

  /** One visitor by every door, each of whom has heard all the others come. */
  async enterByEveryDoor(room: string): Promise<Visitor[]> {
    const visitors: Visitor[] = [];
    for (const door of DOORS) {
      const visitor = await this.enter(door, room);
      for (const earlier of visitors) await earlier.heard.next(isJoin(visitor.user), 'the next one');
      visitors.push(visitor);
    }
    return visitors;
  }

  async wireClient(): Promise<WireClient> {
    const client = await WireClient.open({ url: this.node.url });
    this.#visitors.push({ leave: async () => client.close() });
    return client;
  }

  rawClient(channel: string, user: User = this.newUser()): Promise<RawClient> {
    return RawClient.open({ url: this.node.url, token: mintToken({ ...user, channel }) });
  }

  /** As Laravel does, at the custom channel. */
  async publish(room: string, text: string): Promise<void> {
    const data = { message: text, name: 'Laravel' };
    await this.redis.client.publish(`${PREFIX}broadcast`, JSON.stringify({ channel: room, data }));
  }

  /** A Laravel event of that name on each of the wire names. */
  async publishEach(wires: readonly string[], event: string): Promise<void> {
    const payload = JSON.stringify({ event, data: {}, socket: null });
    await Promise.all(wires.map((wire) => this.redis.client.publish(PREFIX + wire, payload)));
  }

  async http(path: string, body?: object): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(`${this.node.url}/apps/app${path}`, {
      headers: { authorization: 'Bearer key', 'content-type': 'application/json' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  /** The names that the roster has, sorted. */
  async members(room: string): Promise<string[]> {
    const { body } = await this.http(`/channels/presence-${room}/users`);
    const ids = (body.users as { id: number }[] | undefined)?.map(({ id }) => `user${id}`) ?? [];
    return ids.sort();
  }

  answersReady(status: 200 | 503, node: Running = this.node): Promise<void> {
    const path = `${node.url}/health/ready`;
    return until(async () => (await fetch(path)).status === status, `ready is ${status}`);
  }

  gapReasons(): string[] {
    return this.node.log
      .filter(({ message }) => message === 'broadcasts may have been lost')
      .map(({ fields }) => (fields as { reason: string }).reason);
  }

  /** Everybody leaves; resolves when nothing is held any more. */
  async end(): Promise<void> {
    await Promise.all(this.#visitors.splice(0).map((visitor) => visitor.leave()));
    await this.node.settledToZero();
  }
}

export const isJoin =
  (user: User) =>
  (heard: Heard): boolean =>
    heard.type === 'joined' && heard.user === user.name;

export const isLeave =
  (user: User) =>
  (heard: Heard): boolean =>
    heard.type === 'left' && heard.user === user.name;

export const isText =
  (text: string) =>
  (heard: Heard): boolean =>
    heard.type === 'message' && (heard.data as { message: string }).message === text;

/** Nobody of them has anything unread: what a story did not await was not said. */
export function heardNothingElse(visitors: readonly Visitor[]): boolean {
  const unread = visitors.flatMap(({ user, heard }) => heard.unread().map((h) => ({ to: user.name, ...h })));
  if (unread.length > 0) throw new Error(`heard besides: ${JSON.stringify(unread)}`);
  return true;
}

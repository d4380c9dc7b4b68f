import { onTestFinished } from 'vitest';
import { startAuthEndpoint } from '../support/auth-endpoint.ts';
import { RedisServer } from '../support/redis-server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { until } from '../support/yamabiko.ts';
import { openVisitors, ROOM, type Visitor } from './recovery-visitors.ts';

const PREFIX = 'laravel_database_';
const LIMIT_MS = 30_000;

/** The others are messages of the room: by Laravel's broadcaster, or by the custom channel. */
const isEvent = (n: number) => n % 3 === 0;
const isByCustomChannel = (n: number) => n % 3 === 2;

/** Built servers on one Redis, visitors of each kind, and Laravel's numbers without end. */
export class RecoveryNodes {
  readonly redis: RedisServer;
  readonly nodes: ServerProcess[] = [];
  readonly visitors: Visitor[] = [];
  sent = 0;
  readonly #env: Readonly<Record<string, string>>;
  /** Whose own a number is: he is not to hear it. */
  readonly #owners = new Map<number, Visitor>();
  #timer: NodeJS.Timeout | undefined;

  private constructor(redis: RedisServer, env: Readonly<Record<string, string>>) {
    this.redis = redis;
    this.#env = env;
  }

  /** Visitors of each kind on the first node, and others on the last. */
  static async open(
    count: number,
    {
      env = {},
      redisArgs = [],
    }: { env?: Readonly<Record<string, string>>; redisArgs?: readonly string[] } = {},
  ): Promise<RecoveryNodes> {
    const [redis, auth] = [await RedisServer.start(redisArgs), await startAuthEndpoint()];
    const settings = { YAMABIKO_REDIS_URL: redis.url, YAMABIKO_AUTH_URL: auth.url, ...env };
    const stage = new RecoveryNodes(redis, settings);
    onTestFinished(async () => {
      stage.pause();
      await Promise.all(stage.visitors.map((visitor) => visitor.leave()));
      await redis.stop();
      await auth.stop();
    });
    // The first one writes the log.
    await stage.start();
    await Promise.all(Array.from({ length: count - 1 }, () => stage.start()));
    const homes = [stage.nodes[0], stage.nodes.at(-1)];
    const crowds = await Promise.all(homes.map((node, n) => openVisitors(node?.url ?? '', 10 * n + 1)));
    stage.visitors.push(...crowds.flat());
    return stage;
  }

  async start(): Promise<ServerProcess> {
    const node = await ServerProcess.ready(this.#env);
    this.nodes.push(node);
    return node;
  }

  /** Who is on that node, or comes to it next. */
  on({ url }: ServerProcess): Visitor[] {
    return this.visitors.filter(({ way }) => way.target === url);
  }

  /** The forwarders send them there from now on. */
  send(visitors: readonly Visitor[], { url }: ServerProcess): void {
    for (const { way } of visitors) way.target = url;
  }

  /** Laravel publishes, and pages whisper, until `pause`. */
  go(): void {
    this.#timer = setInterval(() => void this.publish(), 10);
  }

  pause(): void {
    clearInterval(this.#timer);
  }

  /** The next number. Some are of Laravel's `toOthers()`, asked for by one visitor after the other. */
  async publish(): Promise<void> {
    const n = ++this.sent;
    const visitor = this.visitors[Math.floor(n / 4) % this.visitors.length] as Visitor;
    const owner = n % 4 === 0 && !isByCustomChannel(n) ? visitor : null;
    if (owner !== null) this.#owners.set(n, owner);
    if (n % 5 === 0) visitor.whisper(`${visitor.name}: ${n}`);
    const { client } = this.redis;
    const text = { message: String(n), name: 'Laravel' };
    if (isByCustomChannel(n))
      await client.publish(`${PREFIX}broadcast`, JSON.stringify({ channel: ROOM, data: text }));
    else
      await client.publish(
        `${PREFIX}presence-${ROOM}`,
        JSON.stringify({
          event: isEvent(n) ? 'counted' : 'message',
          data: isEvent(n) ? { n } : text,
          socket: owner?.socketId() ?? null,
        }),
      );
  }

  /** All hear what is published from now on, and go on so for a while. */
  async allHear(): Promise<void> {
    const { visitors } = this;
    const after = this.sent + 30;
    const show = ({ name, account }: Visitor) => `\n${name} heard ${account.last} last of ${this.sent}`;
    await until(
      () => visitors.every(({ account }) => account.last > after),
      () => `all hear what comes after ${after}:${visitors.map(show)}`,
      LIMIT_MS,
    );
  }

  /** No more is published, and everybody has the last of it. */
  async end(): Promise<void> {
    this.pause();
    // One that is heard by all, and is nobody's own.
    do await this.publish();
    while (!isByCustomChannel(this.sent));
    await until(
      () => this.visitors.every(({ account }) => account.last === this.sent),
      () => `all hear the last:${this.visitors.map(({ name, account }) => `\n${name} ${account.last}`)}`,
      LIMIT_MS,
    );
  }

  /** The numbers that somebody is to hear. */
  due(visitor: Visitor): number[] {
    return Array.from({ length: this.sent }, (_, i) => i + 1).filter(
      (n) => (visitor.hearsAll || !isEvent(n)) && this.#owners.get(n) !== visitor,
    );
  }

  /** What somebody was given twice, too late or of his own, and what he was not given and not told of. */
  faults(): string[] {
    return this.visitors.flatMap((visitor) => {
      const due = this.due(visitor);
      const places = new Map(due.map((n, place) => [n, place]));
      const faults: string[] = [];
      let [next, isTold] = [0, false];
      for (const item of visitor.account.items) {
        if (item === 'gap') {
          isTold = true;
          continue;
        }
        const place = places.get(item);
        if (place === undefined) faults.push(`${visitor.name} heard ${item}, which is his own`);
        else if (place < next) faults.push(`${visitor.name} heard ${item} after ${due[next - 1]}`);
        else if (place > next && !isTold)
          faults.push(`${visitor.name} was neither given nor told of ${due[next]} to ${due[place - 1]}`);
        if (place !== undefined) next = Math.max(next, place + 1);
        isTold = false;
      }
      return faults;
    });
  }

  /** Pages have heard each other's whispers in one order, once each, and nobody his own. */
  async whispersAgree(): Promise<void> {
    const faults = () => whisperFaults(this.visitors.filter(({ hearsAll }) => hearsAll));
    // The last may be on its way: it goes by a node to Redis first.
    await until(
      () => faults().length === 0,
      () => `whispers agree: ${faults()}`,
      LIMIT_MS,
    );
  }
}

function whisperFaults(pages: readonly Visitor[]): string[] {
  const isOf =
    ({ name }: Visitor) =>
    (text: string) =>
      text.startsWith(`${name}: `);
  return pages.flatMap((one) => {
    const { whispers } = one.account;
    if (whispers.length === 0) return [`\n${one.name} heard none`];
    const own = whispers.filter(isOf(one)).map((text) => `\n${one.name} heard his own ${text}`);
    const others = pages.flatMap((other) => {
      const here = whispers.filter((text) => !isOf(other)(text));
      const there = other.account.whispers.filter((text) => !isOf(one)(text));
      const at = here.findIndex((text, i) => text !== there[i]);
      return at < 0 ? [] : [`\n${one.name} heard ${here[at]} where ${other.name} heard ${there[at]}`];
    });
    return [...own, ...others];
  });
}

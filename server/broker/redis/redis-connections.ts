import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, Redis } from 'ioredis';
import { UnavailableError } from '../../domain/outcome.ts';
import { parseRedisUrl } from '../../domain/redis-url.ts';
import type { BrokerLog } from '../broker-log.ts';
import type { Telling } from '../outbox/outbox.ts';
import { createClient, createCluster } from './redis-clients.ts';
import type { RedisHome } from './redis-home.ts';
import { createHome } from './redis-locate.ts';
import { neededRights, type RedisRefusedError, refusalOf } from './redis-refused.ts';

export interface RedisSettings {
  /** Of one Redis, Sentinel or a Cluster (`redis-url.ts`); may hold user and password, so it never reaches a log. */
  readonly url: string;
  /** Put before every channel and key; may be empty. Default `laravel_database_`. */
  readonly prefix: string;
  /** Put before the custom channel `broadcast` alone. Default: `prefix`. */
  readonly broadcastPrefix: string;
  /** After this many milliseconds a command counts as refused, its outcome unknown. Default 2000. */
  readonly commandTimeoutMs: number;
  /** PEM text, for a URL that begins with `rediss`. Default: none, the authorities that everybody knows. */
  readonly tlsCa?: string | null;
  readonly tlsCert?: string | null;
  readonly tlsKey?: string | null;
  /** Name that the certificate of Redis must bear. Default: the host. */
  readonly tlsServername?: string | null;
}

interface TellingPublisher {
  publish(redis: Redis, name: string, payload: string | Buffer, telling: Telling): Promise<number>;
}

/** Every client can cause the same refusal; one line in so many milliseconds is enough. */
const REPLY_LOG_INTERVAL_MS = 10_000;
const STRAYED = /READONLY|^MOVED /;
const MAX_TOLD_REASONS = 10;

/** @param home where Sentinel or a Cluster has us connect; default: of this client alone */
export function createRedis(settings: RedisSettings, name: string, home = createHome(settings)): Redis {
  return createClient(settings, name, home);
}

/**
 * What a node is connected by: one hears, one publishes, and the store takes commands with keys. With one Redis, or its
 * master behind Sentinel, the last two are one. With a Cluster all nodes hear and publish at the master of one slot,
 * so that a channel has one order on all of them, and the store knows every master. Bus and roster share them.
 */
export class RedisConnections {
  readonly settings: RedisSettings;
  readonly subscriber: Redis;
  readonly command: Redis;
  readonly cluster: Cluster | null;
  readonly home: RedisHome | null;
  /** Set where Laravel is told: publishes, and writes in the same step what it is to be told. */
  tellingPublisher: TellingPublisher | null = null;
  /** Set by the bus while Redis does not answer: calls are refused at once instead of piling up unanswered. */
  silent = false;
  readonly #log: BrokerLog;
  readonly #onConnectAnew: ((moved: boolean) => void)[] = [];
  readonly #rights: string;
  readonly #toldReasons = new Set<string>();
  #replyLoggedAt = Number.NEGATIVE_INFINITY;
  #firstError: ((error: Error) => void) | null = null;

  constructor({ settings, log }: { settings: RedisSettings; log: BrokerLog }) {
    this.settings = settings;
    this.#rights = neededRights(settings);
    this.#log = log;
    this.home = createHome(settings);
    this.subscriber = this.#create('yamabiko-subscriber');
    this.command = this.#create('yamabiko-command');
    this.cluster = parseRedisUrl(settings.url).kind === 'cluster' ? this.#createCluster() : null;
  }

  /** For commands with keys. A Cluster's client has the same ones. */
  get store(): Redis {
    return this.cluster === null ? this.command : (this.cluster as unknown as Redis);
  }

  /**
   * Resolves when both are connected, or after the first failure: connecting goes on in the background.
   * @throws RedisRefusedError for a wrong user or password
   */
  async open(): Promise<void> {
    const failed = new Promise<Error>((resolve) => {
      this.#firstError = resolve;
    });
    const connected = Promise.all(
      // Another bus may have used them already.
      this.#all().map((redis) => redis.status === 'wait' && redis.connect()),
    ).then(
      () => null,
      () => failed,
    );
    const patience = new AbortController();
    const tired = sleep(2 * this.settings.commandTimeoutMs, null, { signal: patience.signal });
    const error = await Promise.race([connected, failed, tired.catch(() => null)]);
    patience.abort();
    const refusal = error && this.refusal(error);
    if (refusal) {
      this.close();
      throw refusal;
    }
  }

  close(): void {
    for (const redis of this.#all()) redis.disconnect();
  }

  /** True when all can take a command now. */
  connected(): boolean {
    return this.#all().every(({ status }) => status === 'ready');
  }

  /** True when a command has a chance; false while Redis is gone or does not answer. */
  usable(): boolean {
    return !this.silent && this.command.status === 'ready' && this.store.status === 'ready';
  }

  /**
   * Drops a connection that looks alive but is not; it connects anew by itself. Only where it is connected:
   * ioredis gives up for good if it is dropped in the tick in which it begins to connect.
   */
  reset(connection: Redis): void {
    if (connection.status === 'ready') connection.disconnect(true);
  }

  /**
   * @param tell called when they are made anew, which other connections of this node may need too; `moved`: another
   *   Redis is the right one now, and not only that this one did not answer
   */
  onConnectAnew(tell: (moved: boolean) => void): void {
    this.#onConnectAnew.push(tell);
  }

  /** Drops both; connecting asks anew where the master is. */
  connectAnew(moved: boolean): void {
    this.reset(this.subscriber);
    this.reset(this.command);
    this.cluster?.refreshSlotsCache();
    for (const tell of this.#onConnectAnew) tell(moved);
  }

  /** @returns how many heard it. @throws UnavailableError whatever went wrong, with the cause */
  publish(name: string, payload: string | Buffer, telling: Telling | null = null): Promise<number> {
    const teller = this.tellingPublisher;
    return this.#attempt(() =>
      telling === null || teller === null
        ? this.command.publish(name, payload)
        : teller.publish(this.command, name, payload, telling),
    );
  }

  /** Runs commands of the roster. @throws UnavailableError whatever went wrong, with the cause */
  call<T>(run: (store: Redis) => Promise<T>): Promise<T> {
    return this.#attempt(() => run(this.store));
  }

  /**
   * For what keeps the bus itself going, and is bounded by itself: also tried while Redis is silent, since the probe that
   * ends the silence needs it. @throws UnavailableError whatever went wrong, with the cause
   */
  callBus<T>(run: (command: Redis) => Promise<T>): Promise<T> {
    return this.#attempt(() => run(this.command), this.command.status === 'ready');
  }

  refusal(error: unknown): RedisRefusedError | null {
    return refusalOf(error, this.#rights);
  }

  async #attempt<T>(run: () => Promise<T>, usable = this.usable()): Promise<T> {
    if (!usable) throw new UnavailableError('Redis is not reachable');
    try {
      return await run();
    } catch (cause) {
      this.#logReply(cause);
      // A master that became a replica, or gave its slot away: another one takes writes now.
      if (cause instanceof Error && STRAYED.test(cause.message)) this.connectAnew(true);
      throw new UnavailableError('Redis did not take the command', { cause });
    }
  }

  #all(): readonly (Redis | Cluster)[] {
    return [this.subscriber, this.command, ...(this.cluster === null ? [] : [this.cluster])];
  }

  /** Redis answered with an error (NOPERM, OOM, a script's fault): never weather, so it must be seen. */
  #logReply(err: unknown): void {
    if (!(err instanceof Error && err.name === 'ReplyError')) return;
    if (performance.now() - this.#replyLoggedAt < REPLY_LOG_INTERVAL_MS) return;
    this.#replyLoggedAt = performance.now();
    this.#log.error({ reason: err.message }, 'Redis refuses a command');
  }

  /** Each reason once for an outage: an attempt fails every second, but "wrong password" after "refused" is news. */
  #tellOnce(reason: string, connection: string): void {
    if (this.#toldReasons.has(reason) || this.#toldReasons.size >= MAX_TOLD_REASONS) return;
    this.#toldReasons.add(reason);
    this.#log.warn({ reason, connection }, 'Redis connection failed');
  }

  #create(name: string): Redis {
    return this.#watched(createClient(this.settings, name, this.home), name);
  }

  #createCluster(): Cluster {
    return this.#watched(createCluster(this.settings), 'yamabiko-cluster');
  }

  #watched<C extends Redis | Cluster>(redis: C, name: string): C {
    redis.on('error', (err: Error & { lastNodeError?: Error }) => {
      // A Cluster's client says that all failed, which hides why.
      const reason = err.lastNodeError ?? err;
      this.#firstError?.(reason);
      this.#tellOnce(reason.message, name);
    });
    redis.on('ready', () => {
      if (this.#toldReasons.size > 0) this.#log.info({ connection: name }, 'Redis connection is back');
      this.#toldReasons.clear();
    });
    return redis;
  }
}

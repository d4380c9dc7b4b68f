import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { UnavailableError } from '../domain/outcome.ts';
import type { BrokerLog } from './broker-log.ts';
import { neededRights, type RedisRefusedError, refusalOf } from './redis-refused.ts';

export interface RedisSettings {
  /** redis:// or rediss://; may hold user and password, so it never reaches a log. */
  readonly url: string;
  /** Put before every channel and key; may be empty. Default `laravel_database_`. */
  readonly prefix: string;
  /** Put before the custom channel `broadcast` alone. Default: `prefix`. */
  readonly broadcastPrefix: string;
  /** After this many milliseconds a command counts as refused, its outcome unknown. Default 2000. */
  readonly commandTimeoutMs: number;
}

/** The longest pause between two attempts to connect, in milliseconds. */
const MAX_BACKOFF_MS = 1000;
/** Every client can cause the same refusal; one line in so many milliseconds is enough. */
const REPLY_LOG_INTERVAL_MS = 10_000;
const MAX_TOLD_REASONS = 10;

/**
 * An ioredis client that fails fast. Its own ways to bridge an outage are all off: the automatic resubscribe has
 * no catch (NOPERM there would end the process), a resend could publish twice, an offline queue has no bound.
 */
export function createRedis(settings: RedisSettings, name: string): Redis {
  const { commandTimeoutMs } = settings;
  return new Redis(settings.url, {
    connectionName: name,
    commandTimeout: commandTimeoutMs,
    connectTimeout: commandTimeoutMs,
    // Half-open connections never answer our FIN.
    disconnectTimeout: 500,
    maxLoadingRetryTime: 500,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    disableClientInfo: true,
    lazyConnect: true,
    retryStrategy: backoffMs,
  });
}

/** 50 ms doubled for each attempt, at most a second, jittered by half so that nodes do not return in step. */
export function backoffMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 10), MAX_BACKOFF_MS) * (0.5 + Math.random() / 2);
}

/** The two connections of a node: one hears, one commands. Bus and roster share them. */
export class RedisConnections {
  readonly settings: RedisSettings;
  readonly subscriber: Redis;
  readonly command: Redis;
  /** Set by the bus while Redis does not answer: calls are refused at once instead of piling up unanswered. */
  silent = false;
  readonly #log: BrokerLog;
  readonly #rights: string;
  readonly #toldReasons = new Set<string>();
  #replyLoggedAt = Number.NEGATIVE_INFINITY;
  #firstError: ((error: Error) => void) | null = null;

  constructor({ settings, log }: { settings: RedisSettings; log: BrokerLog }) {
    this.settings = settings;
    this.#rights = neededRights(settings);
    this.#log = log;
    this.subscriber = this.#create('yamabiko-subscriber');
    this.command = this.#create('yamabiko-command');
  }

  /**
   * Resolves when both are connected, or after the first failure: connecting goes on in the background.
   * @throws RedisRefusedError for a wrong user or password
   */
  async open(): Promise<void> {
    const failed = new Promise<Error>((resolve) => {
      this.#firstError = resolve;
    });
    const connected = Promise.all([this.subscriber.connect(), this.command.connect()]).then(
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
    this.subscriber.disconnect();
    this.command.disconnect();
  }

  /** True when both can take a command now. */
  connected(): boolean {
    return this.subscriber.status === 'ready' && this.command.status === 'ready';
  }

  /** True when a command has a chance; false while Redis is gone or does not answer. */
  usable(): boolean {
    return !this.silent && this.command.status === 'ready';
  }

  /**
   * Drops a connection that looks alive but is not; it connects anew by itself. Only where it is connected:
   * ioredis gives up for good if it is dropped in the tick in which it begins to connect.
   */
  reset(connection: Redis): void {
    if (connection.status === 'ready') connection.disconnect(true);
  }

  /** Runs one command of the roster or a publish. @throws UnavailableError whatever went wrong, with the cause */
  async call<T>(run: (command: Redis) => Promise<T>): Promise<T> {
    if (!this.usable()) throw new UnavailableError('Redis is not reachable');
    try {
      return await run(this.command);
    } catch (cause) {
      this.#logReply(cause);
      throw new UnavailableError('Redis did not take the command', { cause });
    }
  }

  refusal(error: unknown): RedisRefusedError | null {
    return refusalOf(error, this.#rights);
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
    const redis = createRedis(this.settings, name);
    redis.on('error', (err: Error) => {
      this.#firstError?.(err);
      this.#tellOnce(err.message, name);
    });
    redis.on('ready', () => {
      if (this.#toldReasons.size > 0) this.#log.info({ connection: name }, 'Redis connection is back');
      this.#toldReasons.clear();
    });
    return redis;
  }
}

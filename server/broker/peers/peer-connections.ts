import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { BrokerLog } from '../broker-log.ts';
import { createRedis, type RedisSettings } from '../redis/redis-connections.ts';
import { isPeerMessage } from './peer-messages.ts';

/** The parts of an ioredis client that @socket.io/redis-adapter uses. Emits `hearing` when its channels are subscribed. */
class PeerClient extends EventEmitter {
  readonly #redis: Redis;
  readonly #log: BrokerLog;
  readonly #onForeign: () => void;
  readonly #channels = new Set<string>();

  constructor(redis: Redis, log: BrokerLog, onForeign: () => void) {
    super();
    this.#onForeign = onForeign;
    this.#redis = redis;
    this.#log = log;
    redis.on('ready', () => {
      if (this.#channels.size > 0) this.#listen([...this.#channels]);
    });
    redis.on('messageBuffer', (channel: Buffer, message: Buffer) => this.#hear(channel, message));
  }

  /** The adapter's cluster broadcasts, which we never use; a pattern would need one more right, and hear for nothing. */
  psubscribe(): void {}
  punsubscribe(): void {}

  subscribe(channels: string[]): void {
    for (const channel of channels) this.#channels.add(channel);
    if (this.#redis.status === 'ready') this.#listen(channels);
  }

  unsubscribe(channels: string[]): void {
    for (const channel of channels) this.#channels.delete(channel);
  }

  publish(channel: string, message: string | Buffer): void {
    this.#attempt('publish', this.#redis.publish(channel, message));
  }

  send_command(name: string, args: string[], callback: (error: Error | null, reply?: unknown) => void): void {
    this.#redis.call(name, ...args).then((reply) => callback(null, reply), callback);
  }

  #listen(channels: string[]): void {
    const subscribed = this.#redis.subscribe(...channels);
    this.#attempt(
      'subscribe',
      subscribed.then(() => this.emit('hearing')),
    );
  }

  #hear(channel: Buffer, message: Buffer): void {
    if (isPeerMessage(message)) this.emit('messageBuffer', channel, message);
    else this.#onForeign();
  }

  #attempt(command: string, reply: Promise<unknown>): void {
    reply.catch((error: Error) =>
      this.#log.warn({ command, reason: error.message }, 'Redis refused what nodes ask each other'),
    );
  }
}

export interface PeerConnectionsOptions {
  readonly settings: RedisSettings;
  readonly nodeId: string;
  readonly log: BrokerLog;
  /** Whether Redis answers, as far as the node's other connections tell: one that is frozen keeps these open. */
  readonly redisAnswers: () => boolean;
  /** The ids of all nodes that live. @throws UnavailableError */
  readonly living: () => Promise<ReadonlySet<string>>;
  /** Told of each message that no node of ours wrote; for counting. */
  readonly onForeign: () => void;
}

/** Anybody with the right to publish can cause it; one line in so many milliseconds is enough. */
const FOREIGN_LOG_INTERVAL_MS = 10_000;

/**
 * Two Redis connections over which nodes ask each other, in the shape that @socket.io/redis-adapter takes. The
 * adapter catches nothing that it starts, and ioredis's own resubscribe does not either: a missing right or an
 * outage would be an unhandled rejection, which ends the process. So every command is caught here, and
 * subscriptions are made anew by ourselves at each reconnect.
 */
export class PeerConnections {
  readonly pub: PeerClient;
  readonly sub: PeerClient;
  readonly nodeId: string;
  readonly living: () => Promise<ReadonlySet<string>>;
  readonly #timeoutMs: number;
  readonly #redis: readonly Redis[];
  readonly #redisAnswers: () => boolean;
  #failing = false;
  #foreignLoggedAt = Number.NEGATIVE_INFINITY;

  constructor({ settings, nodeId, log, redisAnswers, living, onForeign }: PeerConnectionsOptions) {
    this.nodeId = nodeId;
    this.#redisAnswers = redisAnswers;
    this.living = living;
    this.#timeoutMs = settings.commandTimeoutMs;
    const pub = createRedis(settings, 'yamabiko-peers');
    const sub = createRedis(settings, 'yamabiko-peers-subscriber');
    const foreign = () => {
      onForeign();
      if (performance.now() - this.#foreignLoggedAt < FOREIGN_LOG_INTERVAL_MS) return;
      this.#foreignLoggedAt = performance.now();
      log.warn({}, 'dropped what was published where nodes ask each other: no node of ours wrote it');
    };
    this.pub = new PeerClient(pub, log, foreign);
    this.sub = new PeerClient(sub, log, foreign);
    this.#redis = [pub, sub];
    for (const redis of this.#redis) {
      redis.on('ready', () => {
        if (this.#connected()) this.#failing = false;
      });
      redis.on('error', (err: Error) => {
        // Once for an outage: both try again every second for as long as it lasts.
        if (!this.#failing) log.info({ reason: err.message }, 'Redis connection to the other nodes failed');
        this.#failing = true;
      });
    }
  }

  /** Whether a question has a chance of an answer; where not, nobody need wait for none. */
  reachable(): boolean {
    return this.#connected() && this.#redisAnswers();
  }

  /** Resolves when the others can ask; where Redis is away it does so in the background, trying for ever. */
  async start(): Promise<void> {
    for (const redis of this.#redis)
      redis.connect().catch(() => {
        // Told by the `error` listener; ioredis goes on trying.
      });
    if (!this.#redisAnswers()) return;
    await Promise.race([once(this.sub, 'hearing'), sleep(this.#timeoutMs, undefined, { ref: false })]);
  }

  /**
   * Where the master is another one. All nodes must be at the same: the adapter asks Redis how many it has to wait
   * for, and a node of a Cluster counts its own subscribers only.
   */
  connectAnew(): void {
    // Only where it is connected: ioredis gives up for good in the tick in which it begins to connect.
    for (const redis of this.#redis) if (redis.status === 'ready') redis.disconnect(true);
  }

  stop(): void {
    for (const redis of this.#redis) redis.disconnect();
  }

  #connected(): boolean {
    return this.#redis.every(({ status }) => status === 'ready');
  }
}

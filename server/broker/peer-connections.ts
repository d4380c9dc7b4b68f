import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import type { BrokerLog } from './broker-log.ts';
import { createRedis, type RedisSettings } from './redis-connections.ts';

/** The parts of an ioredis client that @socket.io/redis-adapter uses. */
class PeerClient extends EventEmitter {
  readonly #redis: Redis;
  readonly #log: BrokerLog;
  readonly #patterns = new Set<string>();
  readonly #channels = new Set<string>();

  constructor(redis: Redis, log: BrokerLog) {
    super();
    this.#redis = redis;
    this.#log = log;
    redis.on('ready', () => this.#resubscribe());
    redis.on('error', (err: Error) =>
      log.info({ reason: err.message }, 'Redis connection to the other nodes failed'),
    );
    redis.on('messageBuffer', (...args: unknown[]) => this.emit('messageBuffer', ...args));
    redis.on('pmessageBuffer', (...args: unknown[]) => this.emit('pmessageBuffer', ...args));
  }

  psubscribe(pattern: string): void {
    this.#patterns.add(pattern);
    this.#attempt('psubscribe', this.#redis.status === 'ready' ? this.#redis.psubscribe(pattern) : null);
  }

  subscribe(channels: string[]): void {
    for (const channel of channels) this.#channels.add(channel);
    this.#attempt('subscribe', this.#redis.status === 'ready' ? this.#redis.subscribe(...channels) : null);
  }

  punsubscribe(pattern: string): void {
    this.#patterns.delete(pattern);
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

  #resubscribe(): void {
    if (this.#patterns.size > 0) this.#attempt('psubscribe', this.#redis.psubscribe(...this.#patterns));
    if (this.#channels.size > 0) this.#attempt('subscribe', this.#redis.subscribe(...this.#channels));
  }

  #attempt(command: string, reply: Promise<unknown> | null): void {
    reply?.catch((error: Error) =>
      this.#log.warn({ command, reason: error.message }, 'Redis refused what nodes ask each other'),
    );
  }
}

/**
 * Two Redis connections over which nodes ask each other, in the shape that @socket.io/redis-adapter takes. The
 * adapter catches nothing that it starts, and ioredis's own resubscribe does not either: a missing right or an
 * outage would be an unhandled rejection, which ends the process. So every command is caught here, and
 * subscriptions are made anew by ourselves at each reconnect.
 */
export class PeerConnections {
  readonly pub: PeerClient;
  readonly sub: PeerClient;
  readonly #redis: readonly Redis[];

  constructor({ settings, log }: { settings: RedisSettings; log: BrokerLog }) {
    const pub = createRedis(settings, 'yamabiko-peers');
    const sub = createRedis(settings, 'yamabiko-peers-subscriber');
    this.pub = new PeerClient(pub, log);
    this.sub = new PeerClient(sub, log);
    this.#redis = [pub, sub];
  }

  /** Connects in the background; a Redis that is away is tried for ever. */
  start(): void {
    for (const redis of this.#redis)
      redis.connect().catch(() => {
        // Told by the `error` listener; ioredis goes on trying.
      });
  }

  stop(): void {
    for (const redis of this.#redis) redis.disconnect();
  }
}

import type { Redis } from 'ioredis';
import { UnavailableError } from '../../domain/outcome.ts';
import type { BrokerLog } from '../broker-log.ts';

interface Follow {
  readonly channel: string;
  readonly redisName: string;
  count: number;
  /** Redis has confirmed it on the connection that lives now. */
  subscribed: boolean;
  /** The one SUBSCRIBE in flight, shared by all who wait for it. */
  subscribing: Promise<void> | null;
  /** End of the last SUBSCRIBE or UNSUBSCRIBE of this channel: they never race. */
  turn: Promise<void>;
  timer: NodeJS.Timeout | null;
}

export interface RedisFollowsOptions {
  readonly subscriber: Redis;
  readonly log: BrokerLog;
  readonly unfollowDelayMs: number;
  readonly redisNameOf: (channel: string) => string;
  readonly ready: () => boolean;
  /** Redis names that are subscribed as long as the bus runs, whoever else follows a channel of that name. */
  readonly permanentNames: readonly string[];
}

/** One SUBSCRIBE with thousands of names would hold Redis up and time out as one. */
const NAMES_PER_SUBSCRIBE = 500;

/** Which channels are followed here, and what of it Redis knows. Names are literal: never PSUBSCRIBE. */
export class RedisFollows {
  readonly #options: RedisFollowsOptions;
  readonly #byRedisName = new Map<string, Follow>();

  constructor(options: RedisFollowsOptions) {
    this.#options = options;
  }

  /** The channel that is followed under this Redis name, or undefined. */
  channelOf(redisName: string): string | undefined {
    const follow = this.#byRedisName.get(redisName);
    return follow !== undefined && follow.count > 0 ? follow.channel : undefined;
  }

  async add(channel: string): Promise<void> {
    // Before anything is remembered: an outage must not fill the map.
    if (!this.#options.ready()) throw new UnavailableError('Redis is not reachable');
    const follow = this.#followOf(channel);
    follow.count++;
    this.#keep(follow);
    try {
      if (!follow.subscribed) await this.#subscribe(follow);
    } catch (cause) {
      this.remove(channel);
      throw new UnavailableError(`could not follow ${channel}`, { cause });
    }
  }

  remove(channel: string): void {
    const follow = this.#byRedisName.get(this.#options.redisNameOf(channel));
    if (follow === undefined || follow.count === 0) return;
    follow.count--;
    this.#letGoLater(follow);
  }

  /** The connection is gone, and with it what Redis knew. */
  forgetSubscriptions(): void {
    for (const follow of this.#byRedisName.values()) follow.subscribed = false;
  }

  /** Tells a new connection all that is followed. @throws the first refusal */
  async resubscribe(): Promise<void> {
    for (const [name, follow] of this.#byRedisName) if (follow.count === 0) this.#forget(name, follow);
    const names = [...this.#options.permanentNames, ...this.#byRedisName.keys()];
    for (let i = 0; i < names.length; i += NAMES_PER_SUBSCRIBE) {
      const batch = names.slice(i, i + NAMES_PER_SUBSCRIBE);
      await this.#options.subscriber.subscribe(...batch);
      for (const name of batch) {
        const follow = this.#byRedisName.get(name);
        if (follow !== undefined) follow.subscribed = true;
      }
    }
  }

  close(): void {
    for (const [name, follow] of this.#byRedisName) this.#forget(name, follow);
  }

  #followOf(channel: string): Follow {
    const redisName = this.#options.redisNameOf(channel);
    const known = this.#byRedisName.get(redisName);
    if (known !== undefined) return known;
    const follow: Follow = {
      channel,
      redisName,
      count: 0,
      subscribed: false,
      subscribing: null,
      turn: Promise.resolve(),
      timer: null,
    };
    this.#byRedisName.set(redisName, follow);
    return follow;
  }

  #subscribe(follow: Follow): Promise<void> {
    follow.subscribing ??= this.#inTurn(follow, async () => {
      await this.#options.subscriber.subscribe(follow.redisName);
      follow.subscribed = true;
    }).finally(() => {
      follow.subscribing = null;
    });
    return follow.subscribing;
  }

  #inTurn(follow: Follow, step: () => Promise<void>): Promise<void> {
    const result = follow.turn.then(step);
    follow.turn = result.catch(() => {});
    return result;
  }

  #keep(follow: Follow): void {
    if (follow.timer !== null) clearTimeout(follow.timer);
    follow.timer = null;
  }

  #letGoLater(follow: Follow): void {
    if (follow.count > 0) return;
    this.#keep(follow);
    follow.timer = setTimeout(() => this.#letGo(follow), this.#options.unfollowDelayMs);
    follow.timer.unref();
  }

  #letGo(follow: Follow): void {
    // While Redis is away there is nothing to say to it; resubscribe() leaves out whom nobody follows.
    if (!this.#options.ready()) {
      this.#letGoLater(follow);
      return;
    }
    follow.timer = null;
    void this.#inTurn(follow, async () => {
      if (follow.count > 0) return;
      follow.subscribed = false;
      await this.#unsubscribe(follow);
      // Who came and went during the UNSUBSCRIBE left a SUBSCRIBE behind it; his own timer ends that.
      if (follow.count === 0 && follow.subscribing === null) this.#forget(follow.redisName, follow);
    });
  }

  async #unsubscribe(follow: Follow): Promise<void> {
    if (this.#options.permanentNames.includes(follow.redisName)) return;
    try {
      await this.#options.subscriber.unsubscribe(follow.redisName);
    } catch (err) {
      const reason = err instanceof Error ? err.message : String(err);
      this.#options.log.warn({ reason, channel: follow.channel }, 'UNSUBSCRIBE failed');
    }
  }

  #forget(name: string, follow: Follow): void {
    this.#keep(follow);
    if (this.#byRedisName.get(name) === follow) this.#byRedisName.delete(name);
  }
}

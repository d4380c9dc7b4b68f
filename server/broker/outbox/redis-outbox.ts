import type { Redis } from 'ioredis';
import type { BrokerLog } from '../broker-log.ts';
import type { RedisConnections } from '../redis/redis-connections.ts';
import { homeKey } from '../redis/redis-locate.ts';
import {
  type Buried,
  LANES,
  laneOf,
  type Outbox,
  type OutboxBounds,
  type OutboxContents,
  TAKEN_BYTES,
  type Taken,
  type TakenEntry,
  type Telling,
} from './outbox.ts';
import { HOLD, PUBLISH_AND_TELL, REPLAY, SETTLE, TAKE, TELL_ALONE } from './outbox-scripts.ts';
import { fieldsOfTold, type StreamEntry, toldNow, toldOfFields } from './told-fields.ts';

type Script = (...args: (string | number | Buffer)[]) => Promise<unknown>;

interface OutboxCommands {
  yamabikoTellAlone: Script;
  yamabikoPublishAndTell: Script;
  yamabikoTakeTold: Script;
  yamabikoHoldTold: Script;
  yamabikoSettleTold: Script;
  yamabikoReplayTold: Script;
}

export interface RedisOutboxOptions {
  readonly connections: RedisConnections;
  readonly bounds: OutboxBounds;
  /** Unique among all nodes. */
  readonly nodeId: string;
  /** After so many milliseconds of silence another node takes a lane over. */
  readonly leaseMs: number;
  readonly log: BrokerLog;
}

/** Buried entries that one replay puts back. */
const REPLAY_PAGE = 500;

/** The outbox of all nodes on one Redis: a stream for each lane. With a Cluster all lie at the nodes' home. */
export class RedisOutbox implements Outbox {
  readonly lanes = LANES;
  readonly #connections: RedisConnections;
  readonly #bounds: OutboxBounds;
  readonly #nodeId: string;
  readonly #leaseMs: number;
  readonly #log: BrokerLog;
  readonly #key: string;

  constructor({ connections, bounds, nodeId, leaseMs, log }: RedisOutboxOptions) {
    this.#connections = connections;
    this.#bounds = bounds;
    this.#nodeId = nodeId;
    this.#leaseMs = leaseMs;
    this.#log = log;
    this.#key = `${homeKey(connections.settings.prefix)}:told`;
    defineOutboxCommands(connections.command);
    if (connections.store !== connections.command) defineOutboxCommands(connections.store);
  }

  /** Stream and hash of the lane that an order is in. */
  keysOf(lane: number): readonly [stream: string, meta: string] {
    return [`${this.#key}:${lane}`, `${this.#key}:${lane}:meta`];
  }

  /** Entries and bytes that one lane may hold. */
  get laneBounds(): readonly [entries: number, bytes: number] {
    const { maxEntries, maxBytes } = this.#bounds;
    return [Math.max(1, Math.floor(maxEntries / LANES)), Math.max(1, Math.floor(maxBytes / LANES))];
  }

  /** Something that goes with no message. @throws UnavailableError */
  async tell(telling: Telling): Promise<void> {
    const keys = this.keysOf(laneOf(telling.order));
    const fields = fieldsOfTold(toldNow(telling));
    const told = await this.#connections.call((redis) =>
      commandsOf(redis).yamabikoTellAlone(...keys, ...this.laneBounds, ...fields),
    );
    if (told !== 1) this.#log.error({ order: telling.order }, 'Redis refused what Laravel was to be told');
  }

  /** Publishes and tells in one step. @returns how many heard it. @throws what Redis answered */
  async publish(redis: Redis, name: string, payload: string | Buffer, telling: Telling): Promise<number> {
    const keys = this.keysOf(laneOf(telling.order));
    const fields = fieldsOfTold(toldNow(telling));
    const reply = await commandsOf(redis).yamabikoPublishAndTell(
      ...keys,
      ...this.laneBounds,
      name,
      payload,
      ...fields,
    );
    const [listeners, told] = reply as [number, number];
    if (told !== 1) this.#log.error({ order: telling.order }, 'Redis refused what Laravel was to be told');
    return listeners;
  }

  /** An entry that a room's script wrote elsewhere comes to its lane. @throws what Redis answered */
  async adopt(redis: Redis, order: string, fields: readonly string[]): Promise<void> {
    await commandsOf(redis).yamabikoTellAlone(...this.keysOf(laneOf(order)), ...this.laneBounds, ...fields);
  }

  /** And goes from where it was written. */
  async forget(redis: Redis, [stream, meta]: readonly [string, string], place: string): Promise<void> {
    await commandsOf(redis).yamabikoSettleTold(stream, meta, meta, 0, '', place);
  }

  async take(lane: number, count: number): Promise<Taken | null> {
    const reply = await this.#connections.call((redis) =>
      commandsOf(redis).yamabikoTakeTold(
        ...this.keysOf(lane),
        this.#holder(lane),
        this.#nodeId,
        this.#leaseMs,
        count,
        TAKEN_BYTES,
      ),
    );
    if (reply === null) return null;
    const [raw, waiting, dropped] = reply as [StreamEntry[], number, number];
    const entries: TakenEntry[] = [];
    const foreign: string[] = [];
    for (const [place, fields] of raw) {
      const told = toldOfFields(fields);
      if (told === null) foreign.push(place);
      else entries.push({ ...told, place });
    }
    if (foreign.length > 0) await this.bury(lane, foreign, 'not written by any node');
    return { entries, waiting, dropped };
  }

  async hold(lane: number): Promise<boolean> {
    return (await this.#hold(lane, this.#leaseMs)) === 1;
  }

  async release(lane: number): Promise<void> {
    await this.#hold(lane, 0);
  }

  done(lane: number, places: readonly string[]): Promise<void> {
    return this.#settle(lane, places, '');
  }

  bury(lane: number, places: readonly string[], reason: string): Promise<void> {
    return this.#settle(lane, places, reason || 'unknown');
  }

  async look(count: number): Promise<OutboxContents> {
    const buriedKey = this.#buriedKey;
    const [lengths, buriedCount, raw] = await this.#connections.call((redis) =>
      Promise.all([
        Promise.all(Array.from({ length: LANES }, (_, lane) => redis.xlen(this.keysOf(lane)[0]))),
        redis.xlen(buriedKey),
        redis.xrevrange(buriedKey, '+', '-', 'COUNT', count),
      ]),
    );
    const buried = raw
      .map(([, fields]) => toldOfFields(fields))
      .filter((told): told is Buried => told !== null);
    return { waiting: lengths.reduce((sum, length) => sum + length, 0), buriedCount, buried };
  }

  async replay(ids: readonly string[] | null): Promise<number> {
    let [from, replayed] = ['-', 0];
    for (;;) {
      const page = await this.#connections.call((redis) =>
        redis.xrange(this.#buriedKey, from, '+', 'COUNT', REPLAY_PAGE),
      );
      for (const [place, fields] of page) {
        const told = toldOfFields(fields);
        if (place === from || told === null || (ids !== null && !ids.includes(told.id))) continue;
        replayed += await this.#replayOne(place, told.order);
      }
      const last = page.at(-1)?.[0];
      if (last === undefined || page.length < REPLAY_PAGE) return replayed;
      from = last;
    }
  }

  async #replayOne(place: string, order: string): Promise<number> {
    const keys = this.keysOf(laneOf(order));
    const reply = await this.#connections.call((redis) =>
      commandsOf(redis).yamabikoReplayTold(...keys, this.#buriedKey, ...this.laneBounds, place),
    );
    return reply === 1 ? 1 : 0;
  }

  async #settle(lane: number, places: readonly string[], reason: string): Promise<void> {
    if (places.length === 0) return;
    const keys = [...this.keysOf(lane), this.#buriedKey];
    await this.#connections.call((redis) =>
      commandsOf(redis).yamabikoSettleTold(...keys, this.#bounds.maxBuried, reason, ...places),
    );
  }

  #hold(lane: number, leaseMs: number): Promise<unknown> {
    return this.#connections.call((redis) =>
      commandsOf(redis).yamabikoHoldTold(this.#holder(lane), this.#nodeId, leaseMs),
    );
  }

  #holder(lane: number): string {
    return `${this.#key}:${lane}:holder`;
  }

  get #buriedKey(): string {
    return `${this.#key}:buried`;
  }
}

function defineOutboxCommands(redis: Redis): void {
  const scripts: readonly (readonly [keyof OutboxCommands, string, number])[] = [
    ['yamabikoTellAlone', TELL_ALONE, 2],
    ['yamabikoPublishAndTell', PUBLISH_AND_TELL, 2],
    ['yamabikoTakeTold', TAKE, 3],
    ['yamabikoHoldTold', HOLD, 1],
    ['yamabikoSettleTold', SETTLE, 3],
    ['yamabikoReplayTold', REPLAY, 3],
  ];
  for (const [name, lua, numberOfKeys] of scripts) redis.defineCommand(name, { lua, numberOfKeys });
}

function commandsOf(redis: Redis): OutboxCommands {
  return redis as unknown as OutboxCommands;
}

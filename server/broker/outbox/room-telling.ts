import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { tellsOf } from './occupancy-room.ts';
import { laneOf, type RosterTelling } from './outbox.ts';
import type { RedisOutbox } from './redis-outbox.ts';
import type { ToldRelay } from './told-relay.ts';

/** What the scripts of one room need to write what Laravel is to be told. */
export interface RoomTelling {
  /** Stream and hash; with a Cluster they must lie where the room's keys do. */
  readonly keys: readonly [stream: string, meta: string];
  /** Of one call. */
  argument(): object;
  /** Brings it to its lane where it could not be written there at once; runs after every script. */
  readonly relay: ((redis: Redis) => Promise<void>) | null;
}

/** Which rooms' changes are told, and where their scripts write it. */
export class RosterTeller {
  readonly #outbox: RedisOutbox;
  readonly #tells: RosterTelling;
  readonly #relay: ToldRelay | null;

  /** @param relay with a Cluster, whose scripts reach only what lies with the room's keys */
  constructor(outbox: RedisOutbox, tells: RosterTelling, relay: ToldRelay | null) {
    this.#outbox = outbox;
    this.#tells = tells;
    this.#relay = relay;
  }

  /** @param roomKey what the room's keys begin with. @returns null where nothing of it is told */
  of(room: string, roomKey: string): RoomTelling | null {
    const order = tellsOf(this.#tells, room);
    if (order === null) return null;
    const [maxEntries, maxBytes] = this.#outbox.laneBounds;
    const argument = () => ({ id: randomUUID(), order, room, maxEntries, maxBytes });
    const relay = this.#relay;
    if (relay === null) return { keys: this.#outbox.keysOf(laneOf(order)), argument, relay: null };
    const keys = [`${roomKey}:told`, `${roomKey}:told:meta`] as const;
    return { keys, argument, relay: (redis) => relay.run(redis, order, keys) };
  }
}

import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Member } from '../../domain/member.ts';
import { presenceEnvelopeParts } from '../bus/room-envelope.ts';
import { readOccupancyRoom } from '../outbox/occupancy-room.ts';
import type { RoomTelling } from '../outbox/room-telling.ts';
import type { MemberCache } from './member-cache.ts';
import type { RosterSnapshot } from './roster.ts';
import type { RosterFaults } from './roster-faults.ts';
import { CLEAR, ENTER, LEAVE, MEMBERS, RECONCILE, SWEEP } from './roster-scripts.ts';

/** A seat as Redis holds it: the field names its owner, see `RosterLease`. */
export interface StoredSeat {
  readonly field: string;
  readonly member: Member;
}

type Script = (...args: (string | number)[]) => Promise<unknown>;

/** The scripts as ioredis adds them to a client. */
interface RoomCommands {
  yamabikoEnter: Script;
  yamabikoLeave: Script;
  yamabikoMembers: Script;
  yamabikoSweep: Script;
  yamabikoReconcile: Script;
  yamabikoClear: Script;
}

const PARTS = ['seats', 'users', 'counts', 'revision', 'lingering'];
/** Where what Laravel is to be told goes: none of the room's own, so never cleared with it. */
const TOLD_KEYS = 2;

/** Idempotent; before the first use of a client for rooms. */
export function defineRoomCommands(redis: Redis): void {
  const scripts: Record<keyof RoomCommands, string> = {
    yamabikoEnter: ENTER,
    yamabikoLeave: LEAVE,
    yamabikoMembers: MEMBERS,
    yamabikoSweep: SWEEP,
    yamabikoReconcile: RECONCILE,
    yamabikoClear: CLEAR,
  };
  for (const [name, lua] of Object.entries(scripts))
    redis.defineCommand(name, { numberOfKeys: PARTS.length + (lua === CLEAR ? 0 : TOLD_KEYS), lua });
}

// The scripts join these pieces; the mark shows where the member's JSON goes.
const MARK = '\0';
const [JOINED_HEAD, AFTER_REVISION] = presenceEnvelopeParts('joined', MARK);
const [LEFT_HEAD] = presenceEnvelopeParts('left', MARK);
const [MIDDLE = '', TAIL = ''] = AFTER_REVISION.split(MARK);

/** What a script answers where a key holds what none of ours wrote. */
const FOREIGN_KEY = /WRONGTYPE|not an integer/;

export interface RedisRoomOptions {
  readonly prefix: string;
  readonly name: string;
  readonly cache: MemberCache;
  readonly faults: RosterFaults;
  /** Its keys held something else and were emptied: whoever has seats here must enter them again. */
  readonly onCleared: () => void;
  /** What of it Laravel is told, by what its keys begin with; null: nothing. */
  readonly tellingOf: (roomKey: string) => RoomTelling | null;
  /** What was to be told could not be brought to where it is read: its next script tries again. */
  readonly onUntold: () => void;
}

export interface Reconciled {
  /** The leases of the other seats here. */
  readonly owners: readonly string[];
  /** Milliseconds until the next one who lingers is gone; null where nobody does. */
  readonly nextMs: number | null;
}

/** One room's keys and what can be done to it, each step one script. */
export class RedisRoom {
  readonly #name: string;
  readonly #keys: readonly string[];
  readonly #pieces: readonly string[];
  readonly #channel: string | null;
  readonly #telling: RoomTelling | null;
  readonly #onUntold: () => void;
  readonly #cache: MemberCache;
  readonly #faults: RosterFaults;
  readonly #onCleared: () => void;

  constructor({ prefix, name, cache, faults, onCleared, tellingOf, onUntold }: RedisRoomOptions) {
    this.#name = name;
    this.#cache = cache;
    this.#faults = faults;
    this.#onCleared = onCleared;
    this.#onUntold = onUntold;
    const occupancy = readOccupancyRoom(name);
    // One tag with the room that it belongs to, so that what both cause is written to one place.
    const tagged = `${prefix}yamabiko:room:{${digest(occupancy?.order ?? name)}}`;
    const key = occupancy === null ? tagged : `${tagged}:occupied:${digest(occupancy.wire)}`;
    this.#keys = PARTS.map((part) => `${key}:${part}`);
    // Nobody listens to the use of a channel.
    this.#channel = occupancy === null ? `${prefix}${name}` : null;
    this.#telling = tellingOf(tagged);
    const told = this.#telling?.keys ?? [`${tagged}:told`, `${tagged}:told:meta`];
    this.#pieces = [...this.#keys, ...told];
  }

  /** @param maxMembers users that the room may show; 0: any number */
  async enter(redis: Redis, { field, member }: StoredSeat, maxMembers: number): Promise<RosterSnapshot> {
    const { userId, json } = member;
    return this.#snapshotOf(await this.#run(redis, 'yamabikoEnter', field, userId, json, maxMembers));
  }

  /** @param graceMs how long a user whose last seat this is lingers; 0: he is announced at once */
  async leave(redis: Redis, field: string, graceMs: number): Promise<void> {
    await this.#run(redis, 'yamabikoLeave', field, graceMs);
  }

  async members(redis: Redis): Promise<RosterSnapshot> {
    return this.#snapshotOf(await this.#run(redis, 'yamabikoMembers'));
  }

  /** Announces whose time is over. @returns milliseconds until the next one's is; null where nobody lingers */
  async sweep(redis: Redis): Promise<number | null> {
    return delayOf(await this.#run(redis, 'yamabikoSweep'));
  }

  /** @param ownerPrefix all seats whose field begins so and that are not in `seats` go */
  async reconcile(
    redis: Redis,
    ownerPrefix: string,
    seats: readonly StoredSeat[],
    graceMs: number,
  ): Promise<Reconciled> {
    const wanted = seats.flatMap(({ field, member }) => [field, member.userId, member.json]);
    const reply = await this.#run(redis, 'yamabikoReconcile', ownerPrefix, graceMs, ...wanted);
    const [next, owners] = reply as [number, string[]];
    return { owners, nextMs: delayOf(next) };
  }

  async #run(redis: Redis, script: keyof RoomCommands, ...args: (string | number)[]): Promise<unknown> {
    const commands = redis as unknown as RoomCommands;
    const head = () => [...this.#pieces, this.#about(), JOINED_HEAD, LEFT_HEAD, MIDDLE, TAIL];
    try {
      return await commands[script](...head(), ...args);
    } catch (err) {
      if (!(err instanceof Error && FOREIGN_KEY.test(err.message))) throw err;
      this.#faults.found('room_keys', { room: this.#name, reason: err.message });
      await commands.yamabikoClear(...this.#keys);
      this.#onCleared();
      return commands[script](...head(), ...args);
    } finally {
      // A reply that did not come does not mean that nothing was done.
      this.#telling?.relay?.(redis).catch(() => this.#onUntold());
    }
  }

  #about(): string {
    return JSON.stringify({
      ...(this.#channel !== null && { channel: this.#channel }),
      ...(this.#telling !== null && { told: this.#telling.argument() }),
    });
  }

  #snapshotOf(reply: unknown): RosterSnapshot {
    const [revision, users, full] = reply as [string, string[], number | undefined];
    const members: Member[] = [];
    for (const json of users) {
      // What is no member was not written by us; it must not hide the others.
      const member = this.#cache.decode(json);
      if (member === null) this.#faults.found('member', { room: this.#name });
      else members.push(member);
    }
    return { revision: Number(revision), members, ...(full === 1 && { full: true }) };
  }
}

/** The name itself may hold braces, which Redis Cluster would take for the hash tag. */
function digest(name: string): string {
  return createHash('sha256').update(name).digest('base64url').slice(0, 27);
}

function delayOf(reply: unknown): number | null {
  return typeof reply === 'number' && reply >= 0 ? reply : null;
}

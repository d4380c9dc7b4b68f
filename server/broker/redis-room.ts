import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Member } from '../domain/member.ts';
import type { MemberCache } from './member-cache.ts';
import { presenceEnvelopeParts } from './room-envelope.ts';
import type { RosterSnapshot } from './roster.ts';
import { ENTER, LEAVE, MEMBERS, RECONCILE, RENEW } from './roster-scripts.ts';

/** A seat as Redis holds it: the field names its owner, see `RosterLease`. */
export interface StoredSeat {
  readonly field: string;
  readonly member: Member;
}

type Script = (...args: (string | number)[]) => Promise<unknown>;

/** The scripts as ioredis adds them to a client. */
interface RosterCommands {
  yamabikoEnter: Script;
  yamabikoLeave: Script;
  yamabikoMembers: Script;
  yamabikoReconcile: Script;
  yamabikoRenew: Script;
}

/** Idempotent; before the first use of a client for the roster. */
export function defineRosterCommands(redis: Redis): void {
  redis.defineCommand('yamabikoEnter', { numberOfKeys: 4, lua: ENTER });
  redis.defineCommand('yamabikoLeave', { numberOfKeys: 4, lua: LEAVE });
  redis.defineCommand('yamabikoMembers', { numberOfKeys: 4, lua: MEMBERS });
  redis.defineCommand('yamabikoReconcile', { numberOfKeys: 4, lua: RECONCILE });
  redis.defineCommand('yamabikoRenew', { numberOfKeys: 1, lua: RENEW });
}

export function rosterCommands(redis: Redis): RosterCommands {
  return redis as unknown as RosterCommands;
}

// The scripts join these pieces; the mark shows where the member's JSON goes.
const MARK = '\0';
const [JOINED_HEAD, AFTER_REVISION] = presenceEnvelopeParts('joined', MARK);
const [LEFT_HEAD] = presenceEnvelopeParts('left', MARK);
const [MIDDLE = '', TAIL = ''] = AFTER_REVISION.split(MARK);

/** One room's keys and what can be done to it, each step one script. */
export class RedisRoom {
  readonly #head: readonly string[];
  readonly #cache: MemberCache;

  constructor(prefix: string, room: string, cache: MemberCache) {
    this.#cache = cache;
    // A digest: the name itself may hold braces, which Redis Cluster would take for the hash tag.
    const tag = createHash('sha256').update(room).digest('base64url').slice(0, 27);
    const base = `${prefix}yamabiko:room:{${tag}}`;
    const keys = ['seats', 'users', 'counts', 'revision'].map((part) => `${base}:${part}`);
    this.#head = [...keys, `${prefix}${room}`, JOINED_HEAD, LEFT_HEAD, MIDDLE, TAIL];
  }

  async enter(redis: Redis, { field, member }: StoredSeat): Promise<RosterSnapshot> {
    const args = [...this.#head, field, member.userId, member.json];
    return this.#snapshotOf(await rosterCommands(redis).yamabikoEnter(...args));
  }

  async leave(redis: Redis, field: string): Promise<void> {
    await rosterCommands(redis).yamabikoLeave(...this.#head, field);
  }

  async members(redis: Redis): Promise<RosterSnapshot> {
    return this.#snapshotOf(await rosterCommands(redis).yamabikoMembers(...this.#head));
  }

  /** @param ownerPrefix all seats whose field begins so and that are not in `seats` go */
  async reconcile(redis: Redis, ownerPrefix: string, seats: readonly StoredSeat[]): Promise<void> {
    const wanted = seats.flatMap(({ field, member }) => [field, member.userId, member.json]);
    await rosterCommands(redis).yamabikoReconcile(...this.#head, ownerPrefix, ...wanted);
  }

  #snapshotOf(reply: unknown): RosterSnapshot {
    const [revision, users] = reply as [string, string[]];
    // What is no member was not written by us; it must not hide the others.
    const members = users.map((json) => this.#cache.decode(json)).filter((member) => member !== null);
    return { revision: Number(revision), members };
  }
}

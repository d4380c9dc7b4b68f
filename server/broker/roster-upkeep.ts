import { UnavailableError } from '../domain/outcome.ts';
import type { BrokerLog } from './broker-log.ts';
import { MemberCache } from './member-cache.ts';
import type { OwnSeats } from './own-seats.ts';
import type { RedisConnections } from './redis-connections.ts';
import { RedisRoom, type StoredSeat } from './redis-room.ts';
import type { Seat } from './roster.ts';
import { fieldsOf, type RosterLease } from './roster-lease.ts';

export interface RosterUpkeepOptions {
  readonly connections: RedisConnections;
  readonly lease: RosterLease;
  readonly own: OwnSeats;
  readonly log: BrokerLog;
}

/** Rooms that are put right at the same time. */
const ROOMS_AT_ONCE = 100;

/** Keeps the store like what this node knows of itself, and clears away what dead nodes left. */
export class RosterUpkeep {
  readonly #connections: RedisConnections;
  readonly #lease: RosterLease;
  readonly #own: OwnSeats;
  readonly #log: BrokerLog;
  readonly #cache = new MemberCache();
  /** Rooms in which the store may hold a seat that has left. Never more than had seats of ours. */
  readonly #doubtful = new Set<string>();
  #restoreDue = false;
  #leaseLost = false;
  #renewal: Promise<string[]> | null = null;
  #round: Promise<void> | null = null;
  onRestored: () => void = () => {};

  constructor({ connections, lease, own, log }: RosterUpkeepOptions) {
    this.#connections = connections;
    this.#lease = lease;
    this.#own = own;
    this.#log = log;
  }

  /** The store may hold a seat here that is none of ours any more; the next round looks. @returns if it is the first */
  doubt(room: string): boolean {
    return this.#doubtful.add(room).size === 1;
  }

  /**
   * Renews the lease, or takes a new one where it was lost; then the repair waits for the next round.
   * One at a time; who comes meanwhile shares it. @returns the leases that have ended. @throws UnavailableError
   */
  renewLease(): Promise<string[]> {
    this.#renewal ??= this.#renewOrBegin().finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  }

  /** Lease, repair, other nodes' remains: one at a time. @throws UnavailableError */
  round(): Promise<void> {
    this.#round ??= this.#doRound().finally(() => {
      this.#round = null;
    });
    return this.#round;
  }

  /** The same without a reject: its failures are logged, and the next round makes up for them. */
  async roundInBackground(): Promise<void> {
    await this.round().catch((err: unknown) => this.#failed(err));
  }

  /** Looks at every room, not only where there is doubt. @throws UnavailableError; the next round tries again */
  async restore(): Promise<void> {
    await this.settled();
    this.#restoreDue = true;
    await this.round();
  }

  /** A round that is under way may have begun before what the caller has in mind. */
  async settled(): Promise<void> {
    await this.#round?.catch(() => {});
  }

  /** The end: no seat of this node stays, and no lease. @throws UnavailableError */
  async giveUp(rooms: readonly string[]): Promise<void> {
    await this.#putRight([...rooms, ...this.#doubtful, ...(await this.#storedRooms())]);
    await this.#lease.forget(this.#lease.name);
  }

  room(name: string): RedisRoom {
    return new RedisRoom(this.#connections.settings.prefix, name, this.#cache);
  }

  stored(seat: Seat): StoredSeat {
    return { field: this.#lease.field(seat.id), member: seat.member };
  }

  async #renewOrBegin(): Promise<string[]> {
    const { holds, ended } = await this.#lease.renew();
    if (holds) return ended;
    this.#log.warn({ node: this.#lease.name }, 'the store has lost this node: its seats are entered again');
    this.#leaseLost = true;
    this.#restoreDue = true;
    this.#lease.beginGeneration();
    return (await this.#lease.renew()).ended;
  }

  async #doRound(): Promise<void> {
    const ended = await this.renewLease();
    if (this.#restoreDue) await this.#restoreAll();
    else await this.#putRight([...this.#doubtful]);
    for (const leaseName of ended) if (leaseName !== this.#lease.name) await this.#clearAway(leaseName);
  }

  async #restoreAll(): Promise<void> {
    await this.#putRight([...this.#own.rooms(), ...this.#doubtful, ...(await this.#storedRooms())]);
    this.#restoreDue = false;
    if (!this.#leaseLost) return;
    this.#leaseLost = false;
    try {
      this.onRestored();
    } catch (err) {
      this.#log.error({ err }, 'the listener to restored seats failed');
    }
  }

  async #putRight(rooms: readonly string[]): Promise<void> {
    await inBatches([...new Set(rooms)], async (name) => {
      this.#doubtful.delete(name);
      try {
        // Read and sent in one turn: enters and leaves before and after it are commands before and after it.
        await this.#connections.call((redis) => {
          const seats = this.#own.in(name).map((seat) => this.stored(seat));
          const key = this.#lease.roomsKey();
          const listed = seats.length > 0 ? redis.sadd(key, name) : redis.srem(key, name);
          return Promise.all([listed, this.room(name).reconcile(redis, this.#lease.nodePrefix, seats)]);
        });
      } catch (err) {
        this.#doubtful.add(name);
        throw err;
      }
    });
  }

  /** Any node may come first, or several at once: each seat goes and is announced once. */
  async #clearAway(leaseName: string): Promise<void> {
    const rooms = await this.#connections.call((redis) => redis.smembers(this.#lease.roomsKey(leaseName)));
    await inBatches(rooms, (name) =>
      this.#connections.call((redis) => this.room(name).reconcile(redis, fieldsOf(leaseName), [])),
    );
    await this.#lease.forget(leaseName);
    this.#log.info({ node: leaseName, rooms: rooms.length }, 'seats of a node that is gone were given up');
  }

  #storedRooms(): Promise<string[]> {
    return this.#connections.call((redis) => redis.smembers(this.#lease.roomsKey()));
  }

  #failed(err: unknown): void {
    // Redis away is told by the connections, and so is what it answered in refusal.
    if (!(err instanceof UnavailableError)) this.#log.error({ err }, 'the roster could not be kept up');
  }
}

async function inBatches(names: readonly string[], step: (name: string) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < names.length; i += ROOMS_AT_ONCE)
    await Promise.all(names.slice(i, i + ROOMS_AT_ONCE).map(step));
}

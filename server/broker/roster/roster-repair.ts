import type { Redis } from 'ioredis';
import type { BrokerLog } from '../broker-log.ts';
import { byOccupancy } from '../outbox/occupancy-room.ts';
import type { RedisConnections } from '../redis/redis-connections.ts';
import type { OwnSeats } from './own-seats.ts';
import type { RedisRoom, StoredSeat } from './redis-room.ts';
import type { Seat } from './roster.ts';
import type { RosterDates } from './roster-dates.ts';
import type { RosterFaults } from './roster-faults.ts';
import { fieldsOf, type RosterLease } from './roster-lease.ts';
import { forEach } from './roster-steps.ts';

export interface RosterRepairOptions {
  readonly connections: RedisConnections;
  readonly lease: RosterLease;
  readonly own: OwnSeats;
  readonly dates: RosterDates;
  readonly room: (name: string) => RedisRoom;
  readonly faults: RosterFaults;
  readonly graceMs: number;
  readonly log: BrokerLog;
}

/**
 * How much of what nothing casts doubt on is compared in each round all the same. A room with more seats makes the
 * next ones wait: comparing ten thousand keeps Redis busy for some fifty milliseconds.
 */
const SCRUBBED_ROOMS = 20;
const SCRUBBED_SEATS = 500;

/** Makes rooms in the store what this node knows of them, and takes out of them what dead nodes left. */
export class RosterRepair {
  readonly #connections: RedisConnections;
  readonly #lease: RosterLease;
  readonly #own: OwnSeats;
  readonly #dates: RosterDates;
  readonly #room: (name: string) => RedisRoom;
  readonly #faults: RosterFaults;
  readonly #graceMs: number;
  readonly #log: BrokerLog;
  /** Rooms in which the store may hold a seat that has left, or lack one. Never more than had seats of ours. */
  readonly #doubtful = new Set<string>();
  #scrubbed = 0;
  #seatsToScrub = 0;

  constructor(options: RosterRepairOptions) {
    this.#connections = options.connections;
    this.#lease = options.lease;
    this.#own = options.own;
    this.#dates = options.dates;
    this.#room = options.room;
    this.#faults = options.faults;
    this.#graceMs = options.graceMs;
    this.#log = options.log;
  }

  /** The store may differ here; the next round looks. @returns if it is the first such room */
  doubt(room: string): boolean {
    if (this.#doubtful.has(room)) return false;
    return this.#doubtful.add(room).size === 1;
  }

  /** Where there is doubt. @throws UnavailableError; the doubt stays where it could not be settled */
  putDoubtfulRight(): Promise<void> {
    return this.#putRight([...this.#doubtful]);
  }

  /** Everywhere where this node has or had seats, as far as anybody knows. @throws UnavailableError */
  async putAllRight(rooms: readonly string[]): Promise<void> {
    await this.#putRight([...rooms, ...this.#doubtful, ...(await this.#lease.listed())]);
  }

  /**
   * Compares a few rooms, in each round the next ones: what was deleted, evicted or overwritten in the store tells
   * nobody. Seats there whose node the store does not know get a lease to end with. @throws UnavailableError
   */
  async scrub(): Promise<void> {
    const owners = new Map<string, string>();
    await this.#putRight(this.#nextToScrub(), (name, others) => {
      for (const owner of others) owners.set(owner, name);
    });
    await forEach([...owners], ([owner, name]) => this.#endStray(owner, name));
  }

  /** Any node may come first, or several at once: each seat goes and is announced once. @throws UnavailableError */
  async clearAway(leaseName: string): Promise<void> {
    const rooms = (await this.#lease.listed(leaseName)).sort(byOccupancy);
    await forEach(rooms, (name) => this.#reconcile(name, fieldsOf(leaseName), []));
    await this.#lease.forget(leaseName);
    this.#log.info({ node: leaseName, rooms: rooms.length }, 'seats of a node that is gone were given up');
  }

  stored(seat: Seat): StoredSeat {
    return { field: this.#lease.field(seat.id), member: seat.member };
  }

  async #putRight(
    rooms: readonly string[],
    onOthers: (name: string, owners: readonly string[]) => void = () => {},
  ): Promise<void> {
    await forEach([...new Set(rooms)], async (name) => {
      this.#doubtful.delete(name);
      try {
        onOthers(name, await this.#reconcile(name, this.#lease.nodePrefix, null));
      } catch (err) {
        this.#doubtful.add(name);
        throw err;
      }
    });
  }

  /** @param seats null: this node's own */
  async #reconcile(name: string, prefix: string, seats: StoredSeat[] | null): Promise<readonly string[]> {
    // Read and sent in one turn: enters and leaves before and after it are commands before and after it.
    const [{ owners, nextMs }] = await this.#connections.call((redis) => {
      const wanted = seats ?? this.#own.in(name).map((seat) => this.stored(seat));
      const listed = seats === null ? this.#listOrNot(redis, name, wanted.length > 0) : null;
      return Promise.all([this.#room(name).reconcile(redis, prefix, wanted, this.#graceMs), listed]);
    });
    if (nextMs !== null) await this.#connections.call((redis) => this.#dates.schedule(redis, name, nextMs));
    return owners;
  }

  #listOrNot(redis: Redis, name: string, held: boolean): Promise<void> {
    return held ? this.#lease.list(redis, name) : this.#lease.unlist(redis, name);
  }

  async #endStray(owner: string, room: string): Promise<void> {
    await this.#connections.call(async (redis) => {
      if ((await this.#lease.vouch(redis, owner)) !== 'unknown') return;
      await this.#lease.list(redis, room, owner);
      this.#faults.found('stray_seats', { room, node: owner });
    });
  }

  #nextToScrub(): string[] {
    const rooms = this.#own.rooms();
    const next: string[] = [];
    this.#seatsToScrub = Math.min(this.#seatsToScrub, 0) + SCRUBBED_SEATS;
    while (next.length < Math.min(SCRUBBED_ROOMS, rooms.length) && this.#seatsToScrub > 0) {
      const name = rooms[(this.#scrubbed + next.length) % rooms.length] ?? '';
      next.push(name);
      this.#seatsToScrub -= this.#own.in(name).length;
    }
    this.#scrubbed = rooms.length === 0 ? 0 : (this.#scrubbed + next.length) % rooms.length;
    return next;
  }
}

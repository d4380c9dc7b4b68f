import { UnavailableError } from '../domain/outcome.ts';
import type { BrokerLog } from './broker-log.ts';
import { OwnSeats } from './own-seats.ts';
import type { RedisConnections } from './redis-connections.ts';
import { defineRosterCommands, RedisRoom, type StoredSeat } from './redis-room.ts';
import type { Roster, RosterSnapshot, Seat } from './roster.ts';
import { fieldsOf, RosterLease } from './roster-lease.ts';
import { checkRosterRights } from './roster-rights.ts';

export interface RedisRosterSettings {
  /** After so many milliseconds of silence a node's seats are given up, by whichever node sees it. Default 10000. */
  readonly nodeTtlMs: number;
}

export interface RedisRosterOptions {
  /** Shared with the bus, which opens and closes it: start the bus before, stop it after. */
  readonly connections: RedisConnections;
  readonly settings: RedisRosterSettings;
  /** Unique among all nodes, and new for each start; without `|`. */
  readonly nodeId: string;
  readonly log: BrokerLog;
}

/** Rooms that are put right at the same time. */
const ROOMS_AT_ONCE = 100;

/** The roster of all nodes on one Redis. */
export class RedisRoster implements Roster {
  readonly #connections: RedisConnections;
  readonly #log: BrokerLog;
  readonly #lease: RosterLease;
  readonly #own = new OwnSeats();
  /** Rooms in which the store may hold a seat that has left. Never more than had seats of ours. */
  readonly #doubtful = new Set<string>();
  readonly #tickMs: number;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;
  #restoreDue = false;
  #leaseLost = false;
  #upkeep: Promise<void> | null = null;
  #onRestored: () => void = () => {};

  constructor({ connections, settings, nodeId, log }: RedisRosterOptions) {
    if (nodeId.includes('|')) throw new TypeError('a node id must not hold |');
    this.#connections = connections;
    this.#log = log;
    this.#lease = new RosterLease(connections, nodeId, settings.nodeTtlMs);
    this.#tickMs = settings.nodeTtlMs / 3;
    defineRosterCommands(connections.command);
  }

  onRestored(listener: () => void): void {
    this.#onRestored = listener;
  }

  seatCount(): number {
    return this.#own.count();
  }

  /** Resolves also where Redis is unreachable. @throws RedisRefusedError where a right is missing */
  async start(): Promise<void> {
    await checkRosterRights(this.#connections, this.#lease.field('check'));
    await this.#keepUp().catch((err: unknown) => this.#upkeepFailed(err));
    this.#timer = setInterval(() => {
      this.#keepUp().catch((err: unknown) => this.#upkeepFailed(err));
    }, this.#tickMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#upkeep?.catch(() => {});
    const rooms = this.#own.rooms();
    this.#own.clear();
    try {
      await this.#putRight([...rooms, ...(await this.#storedRooms())]);
      await this.#lease.forget(this.#lease.name);
    } catch (err) {
      this.#log.warn(
        { err, rooms: rooms.length },
        'seats could not be given up; they go when the lease ends',
      );
    }
  }

  async enter(name: string, seat: Seat): Promise<RosterSnapshot> {
    if (this.#stopped || !this.#connections.usable()) throw new UnavailableError('Redis is not reachable');
    this.#own.add(name, seat);
    // A lease that may have ended: another node could clear this seat away right after.
    if (!this.#lease.fresh) await this.#keepUp();
    const stored = this.#own.get(name, seat.id);
    if (stored === undefined) throw new UnavailableError('the seat was left while it was entered');
    const room = this.#room(name);
    const [, snapshot] = await this.#connections.call((redis) =>
      Promise.all([redis.sadd(this.#lease.roomsKey(), name), room.enter(redis, this.#stored(stored))]),
    );
    return snapshot;
  }

  async leave(name: string, seatId: string): Promise<void> {
    const known = this.#own.remove(name, seatId);
    try {
      await this.#connections.call((redis) => this.#room(name).leave(redis, this.#lease.field(seatId)));
      // Asked again: somebody may have entered meanwhile, and his SADD went before this SREM.
      if (!this.#own.has(name))
        await this.#connections.call((redis) => redis.srem(this.#lease.roomsKey(), name));
    } catch (err) {
      if (known) this.#doubtful.add(name);
      // Once for an outage, in which everybody may leave.
      if (this.#doubtful.size === 1) this.#log.warn({ err }, 'a leaving is kept until Redis is back');
    }
  }

  async members(name: string): Promise<RosterSnapshot> {
    return this.#connections.call((redis) => this.#room(name).members(redis));
  }

  /** @throws UnavailableError; it is then tried again by itself */
  async restore(): Promise<void> {
    // One that is under way may have begun before Redis lost the seats.
    await this.#upkeep?.catch(() => {});
    this.#restoreDue = true;
    await this.#keepUp();
  }

  /** One at a time; who comes meanwhile shares it. */
  #keepUp(): Promise<void> {
    this.#upkeep ??= this.#keepLease().finally(() => {
      this.#upkeep = null;
    });
    return this.#upkeep;
  }

  async #keepLease(): Promise<void> {
    const { holds, ended } = await this.#lease.renew();
    if (!holds) {
      this.#log.warn({ node: this.#lease.name }, 'the store has lost this node: its seats are entered again');
      this.#leaseLost = true;
      this.#restoreDue = true;
      this.#lease.beginGeneration();
      await this.#lease.renew();
    }
    if (this.#restoreDue || this.#doubtful.size > 0) await this.#putAllRight();
    for (const leaseName of ended) if (leaseName !== this.#lease.name) await this.#reap(leaseName);
  }

  async #putAllRight(): Promise<void> {
    const all = this.#restoreDue ? [...this.#own.rooms(), ...(await this.#storedRooms())] : [];
    await this.#putRight([...all, ...this.#doubtful]);
    this.#restoreDue = false;
    if (!this.#leaseLost) return;
    this.#leaseLost = false;
    this.#onRestored();
  }

  async #putRight(rooms: readonly string[]): Promise<void> {
    await inBatches([...new Set(rooms)], async (name) => {
      this.#doubtful.delete(name);
      try {
        // Read and sent in one turn: enters and leaves before and after it are commands before and after it.
        await this.#connections.call((redis) => {
          const seats = this.#own.in(name).map((seat) => this.#stored(seat));
          const key = this.#lease.roomsKey();
          const listed = seats.length > 0 ? redis.sadd(key, name) : redis.srem(key, name);
          return Promise.all([listed, this.#room(name).reconcile(redis, this.#lease.nodePrefix, seats)]);
        });
      } catch (err) {
        this.#doubtful.add(name);
        throw err;
      }
    });
  }

  /** Any node may come first, or several at once: each seat goes and is announced once. */
  async #reap(leaseName: string): Promise<void> {
    const rooms = await this.#connections.call((redis) => redis.smembers(this.#lease.roomsKey(leaseName)));
    await inBatches(rooms, (name) =>
      this.#connections.call((redis) => this.#room(name).reconcile(redis, fieldsOf(leaseName), [])),
    );
    await this.#lease.forget(leaseName);
    this.#log.info({ node: leaseName, rooms: rooms.length }, 'seats of a node that is gone were given up');
  }

  #storedRooms(): Promise<string[]> {
    return this.#connections.call((redis) => redis.smembers(this.#lease.roomsKey()));
  }

  #room(name: string): RedisRoom {
    return new RedisRoom(this.#connections.settings.prefix, name);
  }

  #stored(seat: Seat): StoredSeat {
    return { field: this.#lease.field(seat.id), member: seat.member };
  }

  #upkeepFailed(err: unknown): void {
    // Redis away is told by the connections; what Redis answered in refusal is not.
    const refusal = this.#connections.refusal(err);
    if (refusal !== null) this.#log.error({ err: refusal }, 'the roster cannot be kept');
    else if (!(err instanceof UnavailableError)) this.#log.error({ err }, 'the roster could not be kept up');
  }
}

async function inBatches(names: readonly string[], step: (name: string) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < names.length; i += ROOMS_AT_ONCE)
    await Promise.all(names.slice(i, i + ROOMS_AT_ONCE).map(step));
}

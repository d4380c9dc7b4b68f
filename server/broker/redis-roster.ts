import { UnavailableError } from '../domain/outcome.ts';
import type { BrokerLog } from './broker-log.ts';
import { OwnSeats } from './own-seats.ts';
import type { RedisConnections } from './redis-connections.ts';
import { defineRosterCommands } from './redis-room.ts';
import type { Roster, RosterSnapshot, Seat } from './roster.ts';
import { RosterLease } from './roster-lease.ts';
import { checkRosterRights } from './roster-rights.ts';
import { RosterUpkeep } from './roster-upkeep.ts';

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

/** The roster of all nodes on one Redis. */
export class RedisRoster implements Roster {
  readonly #connections: RedisConnections;
  readonly #log: BrokerLog;
  readonly #lease: RosterLease;
  readonly #own = new OwnSeats();
  readonly #upkeep: RosterUpkeep;
  readonly #roundMs: number;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor({ connections, settings, nodeId, log }: RedisRosterOptions) {
    if (nodeId.includes('|')) throw new TypeError('a node id must not hold |');
    this.#connections = connections;
    this.#log = log;
    this.#lease = new RosterLease(connections, nodeId, settings.nodeTtlMs);
    this.#upkeep = new RosterUpkeep({ connections, lease: this.#lease, own: this.#own, log });
    this.#roundMs = settings.nodeTtlMs / 3;
    defineRosterCommands(connections.command);
  }

  onRestored(listener: () => void): void {
    this.#upkeep.onRestored = listener;
  }

  seatCount(): number {
    return this.#own.count();
  }

  /** Resolves also where Redis is unreachable. @throws RedisRefusedError where a right is missing */
  async start(): Promise<void> {
    await checkRosterRights(this.#connections, this.#lease.field('check'));
    await this.#upkeep.roundInBackground();
    this.#timer = setInterval(() => void this.#upkeep.roundInBackground(), this.#roundMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#upkeep.settled();
    const rooms = this.#own.rooms();
    this.#own.clear();
    try {
      await this.#upkeep.giveUp(rooms);
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
    if (!this.#lease.fresh) await this.#freshLease();
    const own = this.#own.get(name, seat.id);
    if (own === undefined) throw new UnavailableError('the seat was left while it was entered');
    const [, snapshot] = await this.#connections.call((redis) =>
      Promise.all([
        redis.sadd(this.#lease.roomsKey(), name),
        this.#upkeep.room(name).enter(redis, this.#upkeep.stored(own)),
      ]),
    );
    return snapshot;
  }

  async leave(name: string, seatId: string): Promise<void> {
    const known = this.#own.remove(name, seatId);
    try {
      const field = this.#lease.field(seatId);
      await this.#connections.call((redis) => this.#upkeep.room(name).leave(redis, field));
      // Asked again: somebody may have entered meanwhile, and his SADD went before this SREM.
      if (!this.#own.has(name))
        await this.#connections.call((redis) => redis.srem(this.#lease.roomsKey(), name));
    } catch (err) {
      // Told once for an outage, in which everybody may leave.
      if (known && this.#upkeep.doubt(name))
        this.#log.warn({ err }, 'leavings are kept until Redis takes them');
    }
  }

  async members(name: string): Promise<RosterSnapshot> {
    return this.#connections.call((redis) => this.#upkeep.room(name).members(redis));
  }

  /** @throws UnavailableError; it is then tried again by itself, every third of a lease */
  restore(): Promise<void> {
    return this.#upkeep.restore();
  }

  /** A lease that may have ended: another node could clear away a seat that is entered under it. */
  async #freshLease(): Promise<void> {
    const renewed = this.#upkeep.renewLease();
    void this.#upkeep.roundInBackground();
    await renewed;
  }
}

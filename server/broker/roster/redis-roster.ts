import { UnavailableError } from '../../domain/outcome.ts';
import type { BrokerLog } from '../broker-log.ts';
import type { RosterTeller } from '../outbox/room-telling.ts';
import type { RedisConnections } from '../redis/redis-connections.ts';
import { MemberCache } from './member-cache.ts';
import { defineNodeCommands } from './node-commands.ts';
import { OwnSeats } from './own-seats.ts';
import { defineRoomCommands, RedisRoom } from './redis-room.ts';
import { AT_ONCE, type Leaving, type Roster, type RosterSnapshot, type Seat } from './roster.ts';
import { RosterDates } from './roster-dates.ts';
import { type RosterFault, RosterFaults } from './roster-faults.ts';
import { RosterLease } from './roster-lease.ts';
import { RosterRepair } from './roster-repair.ts';
import { checkRosterRights } from './roster-rights.ts';
import { RosterUpkeep } from './roster-upkeep.ts';

export interface RedisRosterSettings {
  /** After so many milliseconds of silence a node's seats are given up, by whichever node sees it. Default 10000. */
  readonly nodeTtlMs: number;
  /** How long who loses his last connection lingers, in milliseconds, 0 to 600000. Default 0: he leaves at once. */
  readonly graceMs: number;
  /** Users that a room may show, over all nodes; 0, the default: any number. */
  readonly maxMembers?: number;
}

export interface RedisRosterOptions {
  /** Shared with the bus, which opens and closes it: start the bus before, stop it after. */
  readonly connections: RedisConnections;
  readonly settings: RedisRosterSettings;
  /** Unique among all nodes, and new for each start; without `|`. */
  readonly nodeId: string;
  readonly log: BrokerLog;
  /** Told of each thing in the store that no node wrote; for counting. */
  readonly onFault?: (fault: RosterFault) => void;
  /** Which rooms' changes Laravel is told; null, the default: of none. */
  readonly teller?: RosterTeller | null;
}

/** The rest is for seeing that a lease has ended, giving its seats up and telling the clients. */
const LEASE_PER_TTL = 0.9;
const ROUNDS_PER_TTL = 3;

/** The roster of all nodes on one Redis. */
export class RedisRoster implements Roster {
  readonly #connections: RedisConnections;
  readonly #log: BrokerLog;
  readonly #graceMs: number;
  readonly #maxMembers: number;
  readonly #lease: RosterLease;
  readonly #own = new OwnSeats();
  readonly #room: (name: string) => RedisRoom;
  readonly #dates: RosterDates;
  readonly #repair: RosterRepair;
  readonly #upkeep: RosterUpkeep;
  #stopped = false;

  constructor({ connections, settings, nodeId, log, onFault = () => {}, teller = null }: RedisRosterOptions) {
    if (nodeId.includes('|')) throw new TypeError('a node id must not hold |');
    const { nodeTtlMs, graceMs, maxMembers = 0 } = settings;
    const { prefix } = connections.settings;
    const cache = new MemberCache();
    const faults = new RosterFaults(log, onFault);
    const room = (name: string) =>
      new RedisRoom({
        prefix,
        name,
        cache,
        faults,
        onCleared: () => this.#putRightSoon(name),
        tellingOf: (roomKey) => teller?.of(name, roomKey) ?? null,
        onUntold: () => this.#repair.doubt(name),
      });
    const lease = new RosterLease(connections, nodeId, Math.round(nodeTtlMs * LEASE_PER_TTL));
    const own = this.#own;
    this.#connections = connections;
    this.#log = log;
    this.#graceMs = graceMs;
    this.#maxMembers = maxMembers;
    this.#room = room;
    this.#lease = lease;
    this.#dates = new RosterDates({ connections, room, onFailure: (err) => this.#upkeep.failed(err) });
    const dates = this.#dates;
    this.#repair = new RosterRepair({ connections, lease, own, dates, room, faults, graceMs, log });
    this.#upkeep = new RosterUpkeep({
      lease,
      repair: this.#repair,
      dates,
      rooms: () => own.rooms(),
      roundMs: nodeTtlMs / ROUNDS_PER_TTL,
      log,
    });
    defineRoomCommands(connections.store);
    defineNodeCommands(connections.store);
  }

  onRestored(listener: () => void): void {
    this.#upkeep.onRestored = listener;
  }

  seatCount(): number {
    return this.#own.count();
  }

  /** Resolves also where Redis is unreachable. @throws RedisRefusedError where a right is missing */
  async start(): Promise<void> {
    await checkRosterRights(this.#connections, this.#room, this.#lease);
    await this.#upkeep.start();
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await this.#upkeep.stop();
    const rooms = this.#own.rooms();
    this.#own.clear();
    try {
      await this.#repair.putAllRight(rooms);
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
    if (!this.#lease.fresh) await this.#freshLease();
    const own = this.#own.get(name, seat.id);
    if (own === undefined) throw new UnavailableError('the seat was left while it was entered');
    const [known, , snapshot] = await this.#connections.call((redis) =>
      Promise.all([
        this.#lease.vouch(redis),
        this.#lease.list(redis, name),
        this.#room(name).enter(redis, this.#repair.stored(own), this.#maxMembers),
      ]),
    );
    // Redis was emptied since the last round: everybody else here is to be entered again too.
    if (known !== 'holds') void this.#upkeep.newRoundInBackground();
    return snapshot;
  }

  async leave(name: string, seatId: string, { linger }: Leaving = AT_ONCE): Promise<void> {
    const known = this.#own.remove(name, seatId);
    const { restoring } = this.#upkeep;
    const graceMs = linger ? this.#graceMs : 0;
    try {
      const field = this.#lease.field(seatId);
      await this.#connections.call((redis) => {
        const left = this.#room(name).leave(redis, field, graceMs);
        return Promise.all([left, graceMs > 0 ? this.#dates.schedule(redis, name, graceMs) : null]);
      });
      // The seat may still be there under an older name of this node's, where the restoring did not look any more.
      if (restoring || this.#upkeep.restoring) this.#putRightSoon(name);
      // Asked again: somebody may have entered meanwhile, and his SADD went before this SREM.
      if (!this.#own.has(name)) await this.#connections.call((redis) => this.#lease.unlist(redis, name));
    } catch (err) {
      // Told once for an outage, in which everybody may leave.
      if (known && this.#repair.doubt(name))
        this.#log.warn({ err }, 'leavings are kept until Redis takes them');
    }
  }

  async members(name: string): Promise<RosterSnapshot> {
    return this.#connections.call((redis) => this.#room(name).members(redis));
  }

  /** @throws UnavailableError; it is then tried again by itself, every third of a lease */
  restore(): Promise<void> {
    return this.#upkeep.restore();
  }

  /** The ids of the nodes that have a lease: each may hold seats and connections. @throws UnavailableError */
  livingNodes(): Promise<ReadonlySet<string>> {
    return this.#lease.living();
  }

  /** What this node has in a room may not be what the store holds. */
  #putRightSoon(name: string): void {
    this.#repair.doubt(name);
    void this.#upkeep.newRoundInBackground();
  }

  /** A lease that may have ended: another node could clear away a seat that is entered under it. */
  async #freshLease(): Promise<void> {
    const renewed = this.#upkeep.renewLease();
    void this.#upkeep.roundInBackground();
    await renewed;
  }
}

import type { Member } from '../../domain/member.ts';
import type { BrokerLog } from '../broker-log.ts';
import type { Bus } from '../bus/bus.ts';
import { presenceEnvelopeParts } from '../bus/room-envelope.ts';
import { readOccupancyRoom } from '../outbox/occupancy-room.ts';
import { AT_ONCE, type Leaving, type Roster, type RosterSnapshot, type Seat } from './roster.ts';

interface User {
  readonly member: Member;
  seats: number;
  /** Runs while he lingers. */
  timer: NodeJS.Timeout | null;
}

interface Room {
  readonly userOfSeat: Map<string, string>;
  readonly users: Map<string, User>;
  revision: number;
}

export interface MemoryRosterOptions {
  readonly bus: Pick<Bus, 'publish'>;
  readonly log: BrokerLog;
  /** How long who loses his last connection lingers, in milliseconds, 0 to 600000. Default 0: he leaves at once. */
  readonly graceMs: number;
  /** Users that a room may show; 0, the default: any number. */
  readonly maxMembers?: number;
  /** Told of each change, in its turn; for what Laravel is told. */
  readonly tell?: (room: string, type: 'joined' | 'left', member: Member) => void;
}

/** The roster of one node. Each change and its announcement happen in one turn, so nothing comes between. */
export class MemoryRoster implements Roster {
  readonly #bus: Pick<Bus, 'publish'>;
  readonly #log: BrokerLog;
  readonly #graceMs: number;
  readonly #maxMembers: number;
  readonly #tell: NonNullable<MemoryRosterOptions['tell']>;
  readonly #rooms = new Map<string, Room>();
  // One counter for all rooms, so that a room that empties and fills again needs no memory of its own.
  #lastRevision = Date.now() * 1000;

  constructor({ bus, log, graceMs, maxMembers = 0, tell = () => {} }: MemoryRosterOptions) {
    this.#maxMembers = maxMembers;
    this.#tell = tell;
    this.#bus = bus;
    this.#log = log;
    this.#graceMs = graceMs;
  }

  async enter(name: string, seat: Seat): Promise<RosterSnapshot> {
    const room = this.#rooms.get(name) ?? { userOfSeat: new Map(), users: new Map(), revision: 0 };
    const isFull = this.#maxMembers > 0 && room.users.size >= this.#maxMembers;
    if (isFull && !room.users.has(seat.member.userId)) return { ...snapshotOf(room), full: true };
    this.#rooms.set(name, room);
    const announced = this.#add(name, room, seat);
    const snapshot = snapshotOf(room);
    await announced;
    return snapshot;
  }

  async leave(name: string, seatId: string, { linger }: Leaving = AT_ONCE): Promise<void> {
    const room = this.#rooms.get(name);
    const userId = room?.userOfSeat.get(seatId);
    const user = userId === undefined ? undefined : room?.users.get(userId);
    if (room === undefined || user === undefined) return;
    room.userOfSeat.delete(seatId);
    if (--user.seats > 0) return;
    if (!linger || this.#graceMs === 0) return this.#gone(name, room, user);
    user.timer = setTimeout(() => void this.#gone(name, room, user), this.#graceMs);
    user.timer.unref();
  }

  async members(name: string): Promise<RosterSnapshot> {
    const room = this.#rooms.get(name);
    return room ? snapshotOf(room) : { revision: this.#lastRevision, members: [] };
  }

  /** Nothing can be lost here. */
  async restore(): Promise<void> {}

  onRestored(_listener: () => void): void {}

  seatCount(): number {
    let count = 0;
    for (const [name, room] of this.#rooms)
      if (readOccupancyRoom(name) === null) count += room.userOfSeat.size;
    return count;
  }

  async start(): Promise<void> {}

  /** Nobody is left to come back to: who lingers leaves too. */
  async stop(): Promise<void> {
    for (const [name, room] of [...this.#rooms]) {
      for (const seatId of [...room.userOfSeat.keys()]) await this.leave(name, seatId);
      for (const user of [...room.users.values()]) await this.#gone(name, room, user);
    }
  }

  async #add(name: string, room: Room, { id, member }: Seat): Promise<void> {
    if (room.userOfSeat.has(id)) return;
    room.userOfSeat.set(id, member.userId);
    const user = room.users.get(member.userId);
    if (user !== undefined) {
      user.seats++;
      if (user.timer !== null) clearTimeout(user.timer);
      user.timer = null;
      return;
    }
    room.users.set(member.userId, { member, seats: 1, timer: null });
    await this.#announce('joined', name, room, member);
  }

  async #gone(name: string, room: Room, { member, timer }: User): Promise<void> {
    if (timer !== null) clearTimeout(timer);
    room.users.delete(member.userId);
    if (room.users.size === 0) this.#rooms.delete(name);
    try {
      await this.#announce('left', name, room, member);
    } catch (err) {
      this.#log.warn({ err, room: name }, 'a leaving could not be announced');
    }
  }

  async #announce(type: 'joined' | 'left', name: string, room: Room, member: Member): Promise<void> {
    room.revision = ++this.#lastRevision;
    this.#tell(name, type, member);
    // Nobody listens to the use of a channel.
    if (readOccupancyRoom(name) !== null) return;
    const [head, tail] = presenceEnvelopeParts(type, member);
    await this.#bus.publish(name, `${head}${room.revision}${tail}`);
  }
}

function snapshotOf(room: Room): RosterSnapshot {
  return { revision: room.revision, members: [...room.users.values()].map((user) => user.member) };
}

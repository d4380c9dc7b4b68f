import type { Member } from '../domain/member.ts';
import type { BrokerLog } from './broker-log.ts';
import type { Bus } from './bus.ts';
import { presenceEnvelopeParts } from './room-envelope.ts';
import type { Roster, RosterSnapshot, Seat } from './roster.ts';

interface Room {
  readonly userOfSeat: Map<string, string>;
  readonly users: Map<string, { readonly member: Member; seats: number }>;
  revision: number;
}

/** The roster of one node. Each change and its announcement happen in one turn, so nothing comes between. */
export class MemoryRoster implements Roster {
  readonly #bus: Pick<Bus, 'publish'>;
  readonly #log: BrokerLog;
  readonly #rooms = new Map<string, Room>();
  // One counter for all rooms, so that a room that empties and fills again needs no memory of its own.
  #lastRevision = Date.now() * 1000;

  constructor({ bus, log }: { bus: Pick<Bus, 'publish'>; log: BrokerLog }) {
    this.#bus = bus;
    this.#log = log;
  }

  async enter(name: string, seat: Seat): Promise<RosterSnapshot> {
    const room = this.#rooms.get(name) ?? { userOfSeat: new Map(), users: new Map(), revision: 0 };
    this.#rooms.set(name, room);
    const announced = this.#add(name, room, seat);
    const snapshot = snapshotOf(room);
    await announced;
    return snapshot;
  }

  async leave(name: string, seatId: string): Promise<void> {
    try {
      await this.#remove(name, seatId);
    } catch (err) {
      this.#log.warn({ err, room: name }, 'a leaving could not be announced');
    }
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
    for (const room of this.#rooms.values()) count += room.userOfSeat.size;
    return count;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    for (const [name, room] of [...this.#rooms])
      for (const seatId of [...room.userOfSeat.keys()]) await this.leave(name, seatId);
  }

  async #add(name: string, room: Room, { id, member }: Seat): Promise<void> {
    if (room.userOfSeat.has(id)) return;
    room.userOfSeat.set(id, member.userId);
    const user = room.users.get(member.userId);
    if (user !== undefined) {
      user.seats++;
      return;
    }
    room.users.set(member.userId, { member, seats: 1 });
    await this.#announce('joined', name, room, member);
  }

  async #remove(name: string, seatId: string): Promise<void> {
    const room = this.#rooms.get(name);
    const userId = room?.userOfSeat.get(seatId);
    const user = userId === undefined ? undefined : room?.users.get(userId);
    if (room === undefined || userId === undefined || user === undefined) return;
    room.userOfSeat.delete(seatId);
    if (room.userOfSeat.size === 0) this.#rooms.delete(name);
    if (--user.seats > 0) return;
    room.users.delete(userId);
    await this.#announce('left', name, room, user.member);
  }

  async #announce(type: 'joined' | 'left', name: string, room: Room, member: Member): Promise<void> {
    room.revision = ++this.#lastRevision;
    const [head, tail] = presenceEnvelopeParts(type, member);
    await this.#bus.publish(name, `${head}${room.revision}${tail}`);
  }
}

function snapshotOf(room: Room): RosterSnapshot {
  return { revision: room.revision, members: [...room.users.values()].map((user) => user.member) };
}

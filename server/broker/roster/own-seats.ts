import { readOccupancyRoom } from '../outbox/occupancy-room.ts';
import type { Seat } from './roster.ts';

/** The seats that this node should have, whatever the store says of them. */
export class OwnSeats {
  readonly #byRoom = new Map<string, Map<string, Seat>>();

  add(room: string, seat: Seat): void {
    const seats = this.#byRoom.get(room) ?? new Map<string, Seat>();
    this.#byRoom.set(room, seats);
    if (!seats.has(seat.id)) seats.set(seat.id, seat);
  }

  get(room: string, seatId: string): Seat | undefined {
    return this.#byRoom.get(room)?.get(seatId);
  }

  /** @returns whether it was there */
  remove(room: string, seatId: string): boolean {
    const seats = this.#byRoom.get(room);
    const known = seats?.delete(seatId) ?? false;
    if (seats?.size === 0) this.#byRoom.delete(room);
    return known;
  }

  has(room: string): boolean {
    return this.#byRoom.has(room);
  }

  in(room: string): Seat[] {
    return [...(this.#byRoom.get(room)?.values() ?? [])];
  }

  rooms(): string[] {
    return [...this.#byRoom.keys()];
  }

  /** Of members: that a channel is in use is no seat of anybody's. */
  count(): number {
    let count = 0;
    for (const [room, seats] of this.#byRoom) if (readOccupancyRoom(room) === null) count += seats.size;
    return count;
  }

  clear(): void {
    this.#byRoom.clear();
  }
}

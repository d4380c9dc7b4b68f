import { RoomView } from './room-view.ts';

/** The views of the rooms that have a member list and somebody on this node who sees it. */
export class RoomViews {
  readonly #views = new Map<string, { view: RoomView; users: number }>();

  /** Keeps a room's view until it is released as often. */
  acquire(room: string): RoomView {
    const entry = this.#views.get(room) ?? { view: new RoomView(), users: 0 };
    entry.users++;
    this.#views.set(room, entry);
    return entry.view;
  }

  release(room: string): void {
    const entry = this.#views.get(room);
    if (entry !== undefined && --entry.users === 0) this.#views.delete(room);
  }

  get(room: string): RoomView | null {
    return this.#views.get(room)?.view ?? null;
  }

  rooms(): string[] {
    return [...this.#views.keys()];
  }
}

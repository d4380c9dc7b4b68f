import { randomUUID } from 'node:crypto';
import {
  type Buried,
  LANES,
  laneOf,
  type Outbox,
  type OutboxBounds,
  type OutboxContents,
  type Taken,
  type TakenEntry,
  type Telling,
  type Told,
} from './outbox.ts';
import { toldNow } from './told-fields.ts';

interface Lane {
  entries: TakenEntry[];
  bytes: number;
  dropped: number;
}

/** The outbox of one node, for as long as its process lives. */
export class MemoryOutbox implements Outbox {
  readonly lanes = LANES;
  readonly #bounds: OutboxBounds;
  readonly #lanes = Array.from({ length: LANES }, (): Lane => ({ entries: [], bytes: 0, dropped: 0 }));
  #buried: Buried[] = [];
  #count = 0;

  constructor(bounds: OutboxBounds) {
    this.#bounds = bounds;
  }

  async tell(telling: Telling): Promise<void> {
    this.#add(toldNow(telling));
  }

  /** A change of the roster, in the turn in which it happens. */
  tellChange(order: string, kind: 'joined' | 'left', room: string, json: string): void {
    this.#add({ id: randomUUID(), atMs: Date.now(), order, kind, room, json });
  }

  async take(lane: number, count: number): Promise<Taken> {
    const { entries, dropped } = this.#lane(lane);
    this.#lane(lane).dropped = 0;
    return { entries: entries.slice(0, count), dropped, waiting: entries.length };
  }

  async hold(): Promise<boolean> {
    return true;
  }

  async release(): Promise<void> {}

  async done(lane: number, places: readonly string[]): Promise<void> {
    this.#remove(lane, places);
  }

  async bury(lane: number, places: readonly string[], reason: string): Promise<void> {
    for (const { place: _, ...told } of this.#remove(lane, places)) this.#buried.push({ ...told, reason });
    this.#buried = this.#buried.slice(-this.#bounds.maxBuried);
  }

  async look(count: number): Promise<OutboxContents> {
    const waiting = this.#lanes.reduce((sum, { entries }) => sum + entries.length, 0);
    const buried = [...this.#buried].reverse().slice(0, count);
    return { waiting, buriedCount: this.#buried.length, buried };
  }

  async replay(ids: readonly string[] | null): Promise<number> {
    const back = this.#buried.filter(({ id }) => ids === null || ids.includes(id));
    this.#buried = this.#buried.filter((entry) => !back.includes(entry));
    for (const { reason: _, ...told } of back) this.#add(told);
    return back.length;
  }

  #add(told: Told): void {
    const lane = this.#lane(laneOf(told.order));
    lane.entries.push({ ...told, place: String(++this.#count) });
    lane.bytes += told.json.length;
    const { maxEntries, maxBytes } = this.#bounds;
    while (
      lane.entries.length > maxEntries / LANES ||
      (lane.bytes > maxBytes / LANES && lane.entries.length > 1)
    ) {
      lane.bytes -= lane.entries.shift()?.json.length ?? 0;
      lane.dropped++;
    }
  }

  #remove(index: number, places: readonly string[]): TakenEntry[] {
    const lane = this.#lane(index);
    const removed = lane.entries.filter(({ place }) => places.includes(place));
    lane.entries = lane.entries.filter((entry) => !removed.includes(entry));
    for (const { json } of removed) lane.bytes -= json.length;
    return removed;
  }

  #lane(index: number): Lane {
    const lane = this.#lanes[index];
    if (lane === undefined) throw new RangeError(`there is no lane ${index}`);
    return lane;
  }
}

import { comparePositions, type Position } from '../../domain/position.ts';

/** How many places at the front may be empty before the rest moves up: a shift() for each would move all of them. */
const COMPACT_AT = 1024;

/** Entries in the order of their places: added at the end, taken from the front, searched by halving. */
export class HistoryQueue<E extends Position> {
  #items: (E | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(entry: E): void {
    this.#items.push(entry);
  }

  first(): E | undefined {
    return this.#items[this.#head];
  }

  shift(): void {
    if (this.length === 0) return;
    this.#items[this.#head] = undefined;
    this.#head++;
    if (this.#head < COMPACT_AT || this.#head < this.#items.length / 2) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }

  /** The entries after a place, oldest first, looked at as they are asked for: while nothing is added or taken. */
  *after(from: Position): IterableIterator<E, undefined> {
    let low = this.#head;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (comparePositions(this.#items[middle] as E, from) <= 0) low = middle + 1;
      else high = middle;
    }
    for (; low < this.#items.length; low++) yield this.#items[low] as E;
    return undefined;
  }
}

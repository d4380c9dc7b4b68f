import type { Position } from '../../domain/position.ts';
import type { LogMessage } from './log-commands.ts';
import { decodeMarker, type Marker } from './marker.ts';

export interface RingBounds {
  readonly entries: number;
  readonly bytes: number;
}

export interface HeardMarker extends Marker {
  /** Which message of this connection it was. */
  readonly count: number;
}

interface Heard extends LogMessage {
  readonly atMs: number;
}

/** Markers that are remembered, to be found in the log later. */
const MAX_MARKERS = 200;
/** The front is cut off when so many places in it are empty. */
const COMPACT_AT = 1024;

/**
 * What one subscriber connection heard, counted from 1. Redis executes publishes in one order and a connection that
 * lives sees all of them, so between a count and the log's index there is one fixed distance: found by a marker that
 * was heard and stands in the log. Until then the ring is aligned to nothing, and writes nothing.
 */
export class Ring {
  readonly #bounds: RingBounds;
  #heard: (Heard | undefined)[] = [];
  #head = 0;
  /** Messages heard in all. */
  #count = 0;
  #bytes = 0;
  readonly #markers = new Map<string, HeardMarker>();
  #alignment: { readonly epoch: number; readonly distance: number } | null = null;

  constructor(bounds: RingBounds) {
    this.#bounds = bounds;
  }

  /** Of the log that it is aligned to; null: to none. */
  get epoch(): number | null {
    return this.#alignment?.epoch ?? null;
  }

  get size(): number {
    return this.#heard.length - this.#head;
  }

  /** Whether it still holds all that was ever heard. */
  get whole(): boolean {
    return this.size === this.#count;
  }

  /** More than it may hold: it can no longer be continued. */
  get overflown(): boolean {
    return this.size > this.#bounds.entries || this.#bytes > this.#bounds.bytes;
  }

  /** The place in the log of what was heard last; null where not aligned. */
  get last(): Position | null {
    if (this.#alignment === null) return null;
    return { epoch: this.#alignment.epoch, index: this.#count + this.#alignment.distance };
  }

  /** @param isMarker whether it came on the markers' channel */
  hear(message: LogMessage, isMarker: boolean): void {
    const { name, payload } = message;
    this.#count++;
    this.#heard.push({ ...message, atMs: performance.now() });
    this.#bytes += name.length + payload.length;
    const marker = isMarker ? decodeMarker(payload) : null;
    if (marker === null) return;
    this.#markers.set(marker.nonce, { ...marker, count: this.#count });
    if (this.#markers.size > MAX_MARKERS) this.#markers.delete(this.#markers.keys().next().value as string);
  }

  get markers(): readonly HeardMarker[] {
    return [...this.#markers.values()];
  }

  marker(nonce: string): HeardMarker | null {
    return this.#markers.get(nonce) ?? null;
  }

  /**
   * The message of this count stands in the log there.
   * @returns false where that contradicts what was known: never seen, so whoever sees it must begin anew
   */
  align(count: number, { epoch, index }: Position): boolean {
    const distance = index - count;
    const known = this.#alignment;
    if (known !== null && known.epoch === epoch) return known.distance === distance;
    this.#alignment = { epoch, distance };
    return true;
  }

  unalign(): void {
    this.#alignment = null;
  }

  /** Of the oldest message after this place, in milliseconds of performance.now(); null where there is none. */
  oldestAfter(place: Position): number | null {
    const at = this.#offsetAfter(place);
    return at === null ? null : (this.#heard[at]?.atMs ?? null);
  }

  /**
   * What comes after a place, to be written.
   * @param limit messages at most. @param limitBytes after which no further one is taken
   * @returns empty where nothing does, or where the ring no longer holds the next one
   */
  after(place: Position, limit: number, limitBytes: number): readonly LogMessage[] {
    const start = this.#offsetAfter(place);
    if (start === null) return [];
    let bytes = 0;
    let end = start;
    while (end < this.#heard.length && end - start < limit && bytes < limitBytes)
      bytes += this.#heard[end++]?.payload.length ?? 0;
    return this.#heard.slice(start, end) as LogMessage[];
  }

  /** Lets go what stands in the log up to there. */
  prune(place: Position): void {
    const alignment = this.#alignment;
    if (alignment?.epoch !== place.epoch) return;
    this.#pruneTo(place.index - alignment.distance);
  }

  /** Lets go all before the message of this count. */
  forgetBefore(count: number): void {
    this.#pruneTo(count - 1);
  }

  #pruneTo(count: number): void {
    const first = this.#count - this.size + 1;
    for (let i = first; i <= count && this.#head < this.#heard.length; i++) {
      const heard = this.#heard[this.#head];
      this.#bytes -= (heard?.name.length ?? 0) + (heard?.payload.length ?? 0);
      this.#heard[this.#head++] = undefined;
    }
    if (this.#head < COMPACT_AT || this.#head < this.#heard.length / 2) return;
    this.#heard = this.#heard.slice(this.#head);
    this.#head = 0;
  }

  /** Where in the array the first message after a place is; null where it is not there, or not known. */
  #offsetAfter({ epoch, index }: Position): number | null {
    const alignment = this.#alignment;
    if (alignment?.epoch !== epoch) return null;
    const count = index + 1 - alignment.distance;
    const first = this.#count - this.size + 1;
    return count < first || count > this.#count ? null : this.#head + count - first;
  }
}

import { comparePositions, formatPosition, type Position } from '../../domain/position.ts';
import type { GapReason, HistoryItem } from './bus.ts';
import { HistoryQueue } from './history-queue.ts';

export interface HistoryBounds {
  /** How long a broadcast is kept, in milliseconds. Default 120,000. */
  readonly historyMs: number;
  /** How many are kept at most. Default 200,000. */
  readonly historyEntries: number;
  /** Bytes at most of channel names, payloads and what each entry costs beside. Default 67,108,864 (64 MiB). */
  readonly historyBytes: number;
}

/** What one entry costs beside its bytes (objects, strings, places in arrays), as `bench/recovery/memory.ts` measured it. */
const ENTRY_OVERHEAD_BYTES = 700;

interface Entry extends Position {
  readonly item: HistoryItem;
  readonly bytes: number;
  readonly atMs: number;
}

/**
 * The last broadcasts of all channels in their one order, in memory, bounded by time, number and bytes. What was lost
 * stands in it as a gap at its place, so that whoever is given a part of it is told.
 */
export class History {
  readonly #bounds: HistoryBounds;
  readonly #all = new HistoryQueue<Entry>();
  readonly #byChannel = new Map<string, HistoryQueue<Entry>>();
  readonly #gaps = new HistoryQueue<Entry>();
  /** Everything after this place is here. */
  #floor: Position;
  #last: Position;
  #bytes = 0;

  /** @param start the place that it begins after */
  constructor(bounds: HistoryBounds, start: Position) {
    this.#bounds = bounds;
    this.#floor = start;
    this.#last = start;
  }

  /** Of what was added last. */
  get last(): Position {
    return this.#last;
  }

  get floor(): Position {
    return this.#floor;
  }

  get size(): number {
    return this.#all.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param at later than all before */
  add(at: Position, channel: string, payload: Buffer): void {
    const bytes = payload.length + channel.length + ENTRY_OVERHEAD_BYTES;
    const item: HistoryItem = { type: 'entry', channel, payload, position: formatPosition(at) };
    const queue = this.#byChannel.get(channel) ?? new HistoryQueue<Entry>();
    this.#byChannel.set(channel, queue);
    this.#push({ ...at, item, bytes, atMs: performance.now() }, queue);
  }

  /** Something that nobody is given (a probe): only the place moves on. */
  pass(at: Position): void {
    this.#last = at;
  }

  /** Between what was added before and what comes next, broadcasts may have been lost. */
  gap(at: Position, reason: GapReason): void {
    const item: HistoryItem = { type: 'gap', reason, position: formatPosition(at) };
    this.#push({ ...at, item, bytes: ENTRY_OVERHEAD_BYTES, atMs: performance.now() }, this.#gaps);
  }

  /**
   * What of these channels comes after a place, oldest first, with the gaps between.
   * @param limit items at most, but that those of one place stay together: who goes on after it would miss the rest
   */
  after(from: Position, channels: ReadonlySet<string>, limit: number): readonly HistoryItem[] {
    const queues = [this.#gaps, ...[...channels].flatMap((channel) => this.#byChannel.get(channel) ?? [])];
    const found: HistoryItem[] = [];
    for (const { item } of inOrder(queues.map((queue) => queue.after(from)))) {
      if (found.length >= limit && item.position !== found.at(-1)?.position) break;
      found.push(item);
    }
    return found;
  }

  /** Lets go what is older than the bounds allow; also called whenever something is added. */
  prune(): void {
    const { historyMs, historyEntries, historyBytes } = this.#bounds;
    const oldestMs = performance.now() - historyMs;
    for (;;) {
      const oldest = this.#all.first();
      if (oldest === undefined) return;
      const fits = this.#all.length <= historyEntries && this.#bytes <= historyBytes;
      if (fits && oldest.atMs >= oldestMs) return;
      this.#dropOldest(oldest);
    }
  }

  #push(entry: Entry, queue: HistoryQueue<Entry>): void {
    this.#all.push(entry);
    queue.push(entry);
    this.#bytes += entry.bytes;
    this.#last = { epoch: entry.epoch, index: entry.index };
    this.prune();
  }

  #dropOldest(oldest: Entry): void {
    const { item, bytes, epoch, index } = oldest;
    this.#all.shift();
    this.#bytes -= bytes;
    this.#floor = { epoch, index };
    if (item.type === 'gap') {
      this.#gaps.shift();
      return;
    }
    const queue = this.#byChannel.get(item.channel);
    queue?.shift();
    if (queue?.length === 0) this.#byChannel.delete(item.channel);
  }
}

/** The first `count` items, and what stands at the same place as the last of them. */
export function wholePlaces(items: readonly HistoryItem[], count: number): readonly HistoryItem[] {
  let end = Math.min(count, items.length);
  while (end < items.length && items[end]?.position === items[end - 1]?.position) end++;
  return items.slice(0, end);
}

/** Merges what is in order each: as much work as is taken out, however long the queues are. */
function* inOrder(queues: readonly IterableIterator<Entry, undefined>[]): IterableIterator<Entry> {
  const heads = queues.map((queue) => queue.next().value);
  for (;;) {
    let first = -1;
    let entry: Entry | undefined;
    for (let i = 0; i < heads.length; i++) {
      const head = heads[i];
      if (head === undefined || (entry !== undefined && comparePositions(head, entry) >= 0)) continue;
      [first, entry] = [i, head];
    }
    if (entry === undefined) return;
    yield entry;
    heads[first] = queues[first]?.next().value;
  }
}

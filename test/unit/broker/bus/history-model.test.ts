import { afterEach, describe, expect, it, vi } from 'vitest';
import type { HistoryItem } from '../../../../server/broker/bus/bus.ts';
import { History, type HistoryBounds } from '../../../../server/broker/bus/history.ts';
import { resumeFrom } from '../../../../server/broker/bus/resume.ts';
import { comparePositions, formatPosition, type Position } from '../../../../server/domain/position.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

const SEED = Number(process.env.YAMABIKO_TEST_SEED ?? Math.floor(Math.random() * 4_294_967_296));
const CHANNELS = ['a', 'b', 'c', 'd'];
const OVERHEAD_BYTES = 700;

type Kept = Position & { readonly item: HistoryItem; readonly bytes: number; readonly atMs: number };

/** What the history must be, in the plainest words: one array that is filtered. */
class Model {
  kept: Kept[] = [];
  floor: Position;
  last: Position;
  readonly #bounds: HistoryBounds;

  constructor(bounds: HistoryBounds, start: Position) {
    this.#bounds = bounds;
    this.floor = start;
    this.last = start;
  }

  push(at: Position, item: HistoryItem, nowMs: number): void {
    const bytes = OVERHEAD_BYTES + (item.type === 'entry' ? item.channel.length + item.payload.length : 0);
    this.kept.push({ ...at, item, bytes, atMs: nowMs });
    this.last = at;
    this.prune(nowMs);
  }

  get bytes(): number {
    return this.kept.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The longest end of it that is within the bounds. */
  prune(nowMs: number): void {
    const { historyMs, historyEntries, historyBytes } = this.#bounds;
    let [start, bytes] = [this.kept.length, 0];
    for (; start > 0; start--) {
      const next = this.kept[start - 1] ?? expect.fail();
      bytes += next.bytes;
      const fits = this.kept.length - start < historyEntries && bytes <= historyBytes;
      if (!fits || nowMs - next.atMs > historyMs) break;
    }
    const dropped = this.kept[start - 1];
    if (dropped !== undefined) this.floor = { epoch: dropped.epoch, index: dropped.index };
    if (start > 0) this.kept = this.kept.slice(start);
  }

  after(from: Position, channels: ReadonlySet<string>): HistoryItem[] {
    return this.kept
      .filter((kept) => comparePositions(kept, from) > 0)
      .map(({ item }) => item)
      .filter((item) => item.type === 'gap' || channels.has(item.channel));
  }
}

/** A history and its model through the same life. */
class Life {
  readonly #random: SeededRandom;
  readonly history: History;
  readonly model: Model;
  nowMs = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
    vi.spyOn(performance, 'now').mockImplementation(() => this.nowMs);
    const bounds = {
      historyMs: 50 + random.below(2000),
      historyEntries: 1 + random.below(1500),
      historyBytes: 500 + random.below(600_000),
    };
    const start = { epoch: 3, index: random.below(5) };
    this.history = new History(bounds, start);
    this.model = new Model(bounds, start);
  }

  step(): void {
    const random = this.#random;
    if (random.chance(0.1)) this.nowMs += random.below(40);
    const at = this.#next();
    const position = formatPosition(at);
    if (random.chance(0.04)) {
      this.history.gap(at, 'log_hole');
      this.model.push(at, { type: 'gap', reason: 'log_hole', position }, this.nowMs);
    } else if (random.chance(0.1)) {
      this.history.pass(at);
      this.model.last = at;
    } else {
      const payload = Buffer.alloc(random.chance(0.01) ? 140_000 : random.below(600), random.below(256));
      const channel = random.pick(CHANNELS);
      this.history.add(at, channel, payload);
      this.model.push(at, { type: 'entry', channel, payload, position }, this.nowMs);
    }
  }

  #next(): Position {
    const { epoch, index } = this.model.last;
    if (this.#random.chance(0.005)) return { epoch: epoch + 1 + this.#random.below(5), index: 1 };
    return { epoch, index: index + 1 + (this.#random.chance(0.1) ? this.#random.below(4) : 0) };
  }

  prune(): void {
    this.history.prune();
    this.model.prune(this.nowMs);
  }

  place(): Position {
    const { epoch, index } = this.#random.pick([this.model.last, this.model.floor, ...this.model.kept]);
    return { epoch, index: Math.max(0, index + this.#random.below(5) - 2) };
  }

  channels(): ReadonlySet<string> {
    return new Set(CHANNELS.filter(() => this.#random.chance(0.6)));
  }
}

async function resumed(life: Life, from: Position, channels: ReadonlySet<string>) {
  const items: HistoryItem[] = [];
  let complete: boolean | null = null;
  await resumeFrom(life.history, {
    from: formatPosition(from),
    channels,
    signal: new AbortController().signal,
    page: async (page) => void items.push(...page),
    live: (last, end) => {
      items.push(...last);
      complete = end.complete;
    },
  });
  return { items, complete };
}

/** What of it a client must be given, by the model alone. */
function missed({ model }: Life, from: Position, channels: ReadonlySet<string>) {
  const gap = (at: Position, reason: 'history_trimmed' | 'unknown_position'): HistoryItem[] => [
    { type: 'gap', reason, position: formatPosition(at) },
  ];
  const lost = comparePositions(from, model.last) > 0 ? gap(model.last, 'unknown_position') : [];
  const trimmed = comparePositions(from, model.floor) < 0 ? gap(model.floor, 'history_trimmed') : [];
  const items = [...lost, ...trimmed, ...model.after(from, channels)];
  return { items, complete: items.every(({ type }) => type === 'entry') };
}

/** By texts and by identity: comparing each byte of large payloads would take most of the time. */
function expectSame(got: readonly HistoryItem[], wanted: readonly HistoryItem[]): void {
  const text = (item: HistoryItem) =>
    `${item.position} ${item.type === 'entry' ? item.channel : item.reason}`;
  const payload = (item: HistoryItem | undefined) => (item?.type === 'entry' ? item.payload : null);
  expect(got.map(text)).toEqual(wanted.map(text));
  expect(got.filter((item, i) => payload(item) !== payload(wanted[i]))).toEqual([]);
}

describe(`The history beside a naive model, YAMABIKO_TEST_SEED=${SEED}`, () => {
  afterEach(() => vi.restoreAllMocks());

  it.each(Array.from({ length: 12 }, (_, i) => i))('is the same through life %i', async (number) => {
    const random = new SeededRandom(SEED + number);
    const life = new Life(random);
    for (let round = 0; round < 25; round++) {
      for (let steps = random.below(160); steps > 0; steps--) life.step();
      if (random.chance(0.3)) life.prune();
      const { history, model } = life;
      expect([history.last, history.floor, history.size, history.bytes]).toEqual([
        model.last,
        model.floor,
        model.kept.length,
        model.bytes,
      ]);
      const [from, channels, limit] = [life.place(), life.channels(), 1 + random.below(250)];
      expectSame(history.after(from, channels, limit), model.after(from, channels).slice(0, limit));
      life.prune();
      const [got, wanted] = [await resumed(life, from, channels), missed(life, from, channels)];
      expectSame(got.items, wanted.items);
      expect(got.complete).toBe(wanted.complete);
    }
  });
});

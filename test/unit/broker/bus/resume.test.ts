import { afterEach, describe, expect, it, vi } from 'vitest';
import type { HistoryItem } from '../../../../server/broker/bus/bus.ts';
import { History } from '../../../../server/broker/bus/history.ts';
import { resumeFrom } from '../../../../server/broker/bus/resume.ts';

const BOUNDS = { historyMs: 1000, historyEntries: 10_000, historyBytes: 100_000_000 };
const at = (index: number, epoch = 5) => ({ epoch, index });
const place = (item: HistoryItem) => `${item.type === 'entry' ? item.channel : item.reason}@${item.position}`;
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `a@5-${from + i}`);

/** A history, and who comes back to it. */
class Scene {
  readonly history: History;
  readonly pages: string[][] = [];
  readonly abort = new AbortController();
  live: { items: string[]; complete: boolean; position: string | null } | null = null;
  onPage: (count: number) => void | Promise<void> = () => {};

  constructor(bounds: Partial<typeof BOUNDS> = {}) {
    this.history = new History({ ...BOUNDS, ...bounds }, at(0));
  }

  add(from: number, to = from, { channel = 'a', bytes = 1 } = {}): this {
    for (let i = from; i <= to; i++) this.history.add(at(i), channel, Buffer.alloc(bytes));
    return this;
  }

  resume(from: string | null, channels: readonly string[] = ['a']): Promise<void> {
    return resumeFrom(this.history, {
      from,
      channels: new Set(channels),
      signal: this.abort.signal,
      page: async (items) => {
        expect(this.live).toBeNull();
        this.pages.push(items.map(place));
        await this.onPage(this.pages.length);
      },
      live: (items, end) => {
        expect(this.live).toBeNull();
        this.live = { items: items.map(place), ...end };
      },
    });
  }

  get given(): string[] {
    return [...this.pages.flat(), ...(this.live?.items ?? [])];
  }
}

describe('Coming back', () => {
  afterEach(() => vi.restoreAllMocks());

  it('without a position replays nothing and is not complete', async () => {
    const scene = new Scene().add(1, 3);
    await scene.resume(null);
    expect(scene.live).toEqual({ items: [], complete: false, position: '5-3' });
  });

  it('goes live in the turn of the call where one page suffices', () => {
    const scene = new Scene().add(1, 4);
    void scene.resume('5-2');
    expect(scene.live).toEqual({ items: range(3, 4), complete: true, position: '5-4' });
  });

  it('with the last position has missed nothing', async () => {
    const scene = new Scene().add(1, 3);
    await scene.resume('5-3');
    expect(scene.live).toEqual({ items: [], complete: true, position: '5-3' });
  });

  it.each([199, 200, 201, 400, 1001])('gives %i in pages, each once and in order', async (count) => {
    const scene = new Scene().add(1, count);
    await scene.resume('5-0');
    expect(scene.given).toEqual(range(1, count));
    expect(Math.max(...scene.pages.map((page) => page.length), 0)).toBeLessThanOrEqual(200);
    expect(scene.live).toMatchObject({ complete: true, position: `5-${count}` });
  });

  it('waits for each page before it looks on', async () => {
    const scene = new Scene().add(1, 500);
    let going = () => {};
    scene.onPage = () => new Promise<void>((resolve) => (going = resolve));
    const done = scene.resume('5-0');
    await new Promise(setImmediate);
    expect([scene.pages.length, scene.live]).toEqual([1, null]);
    scene.onPage = () => {};
    going();
    await done;
    expect(scene.given).toEqual(range(1, 500));
  });

  it('gives what comes while it pages, and nothing of it twice', async () => {
    const scene = new Scene().add(1, 450);
    scene.onPage = (count) => void (count <= 2 && scene.add(450 + count));
    await scene.resume('5-0');
    expect(scene.given).toEqual(range(1, 452));
    expect(scene.live?.complete).toBe(true);
  });

  it('tells of what is let go while it pages, at its place', async () => {
    const scene = new Scene({ historyEntries: 450 }).add(1, 450);
    scene.onPage = (count) => void (count === 1 && scene.add(451, 700));
    await scene.resume('5-0');
    expect(scene.given).toEqual([...range(1, 200), 'history_trimmed@5-250', ...range(251, 700)]);
    expect(scene.live?.complete).toBe(false);
  });

  it('does not tell of what is let go after it was given', async () => {
    const scene = new Scene({ historyEntries: 450 }).add(1, 450);
    scene.onPage = (count) => void (count === 1 && scene.add(451, 650));
    await scene.resume('5-0');
    expect(scene.given).toEqual(range(1, 650));
    expect(scene.live?.complete).toBe(true);
  });

  it('cuts pages by bytes, gives a larger one alone, and skips none', async () => {
    const scene = new Scene().add(1, 5, { bytes: 60_000 }).add(6, 6, { bytes: 500_000 }).add(7, 8);
    await scene.resume('5-0');
    expect(scene.pages).toEqual([range(1, 2), range(3, 4), range(5, 5), range(6, 6)]);
    expect(scene.live).toMatchObject({ items: range(7, 8), complete: true });
  });

  it.each([1, 200_000])(
    'keeps what stands at one place in one page, with payloads of %i bytes',
    async (bytes) => {
      const scene = new Scene().add(1, 199);
      scene.history.gap(at(200), 'log_hole');
      scene.add(200, 200, { bytes }).add(200, 200, { channel: 'b', bytes }).add(201, 450);
      await scene.resume('5-0', ['a', 'b']);
      expect(scene.given).toEqual([
        ...range(1, 199),
        'log_hole@5-200',
        'a@5-200',
        'b@5-200',
        ...range(201, 450),
      ]);
      expect(scene.live?.complete).toBe(false);
    },
  );

  it('shows what was trimmed first, then the rest', async () => {
    const scene = new Scene({ historyEntries: 300 }).add(1, 500);
    await scene.resume('5-7');
    expect(scene.given).toEqual(['history_trimmed@5-200', ...range(201, 500)]);
    expect(scene.live?.complete).toBe(false);
  });

  it('trims by time before it looks', async () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(0);
    const scene = new Scene().add(1, 3);
    now.mockReturnValue(1001);
    await scene.resume('5-1');
    expect(scene.live).toEqual({ items: ['history_trimmed@5-3'], complete: false, position: '5-3' });
  });

  it('has lost nothing where all that was trimmed came before it', async () => {
    const scene = new Scene({ historyEntries: 3 }).add(1, 10);
    await scene.resume('5-7');
    expect(scene.live).toEqual({ items: range(8, 10), complete: true, position: '5-10' });
  });

  it.each([
    '',
    'x',
    '5',
    '5--1',
    '-5-1',
    '5-4',
    '6-0',
    '9007199254740991-1',
    '9'.repeat(50),
    '5-9999999999999999',
  ])('with %j, which is none of its places, is told so and given nothing', async (from) => {
    const scene = new Scene().add(1, 3);
    await scene.resume(from);
    expect(scene.live).toEqual({ items: ['unknown_position@5-3'], complete: false, position: '5-3' });
  });

  it('of an earlier epoch is given what there is, after a gap', async () => {
    const scene = new Scene().add(1, 2);
    await scene.resume('4-77');
    expect(scene.live?.items).toEqual(['history_trimmed@5-0', ...range(1, 2)]);
    expect(scene.live?.complete).toBe(false);
  });

  it('does not go live once it was given up: before, between pages', async () => {
    const before = new Scene().add(1, 3);
    before.abort.abort();
    await before.resume(null);
    await before.resume('5-1');
    const between = new Scene().add(1, 450);
    between.onPage = (count) => void (count === 2 && between.abort.abort());
    await between.resume('5-0');
    expect([before.live, between.live, between.pages.length]).toEqual([null, null, 2]);
  });

  it('rejects with what a page throws', async () => {
    const scene = new Scene().add(1, 450);
    scene.onPage = () => Promise.reject(new Error('full'));
    await expect(scene.resume('5-0')).rejects.toThrow('full');
    expect([scene.live, scene.pages.length]).toEqual([null, 1]);
  });
});

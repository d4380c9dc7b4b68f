import { afterEach, describe, expect, it } from 'vitest';
import { comparePositions } from '../../server/domain/position.ts';
import { comeBack, HistoryStage, type OpenLog, placeOf, publishAll, WIDE } from './history-client.ts';

/** What is told to who brings a position that the history does not reach to, and who does not stay until its end. */
export function describeHistoryLimits(name: string, open: OpenLog): void {
  describe(`${name}, where its history ends,`, () => {
    const stage = new HistoryStage(open);
    afterEach(() => stage.stop());

    it.each([
      '',
      'x',
      '-',
      '-1-5',
      '1-',
      '1-1-1',
      '1.5-1',
      '1e3-1',
      '99999999999999999999-1',
      `1-${'9'.repeat(40)}`,
    ])('tells who brings %j that it is no place of this history', async (from) => {
      const { first, last } = await stage.start();
      await first.bus.publish('a', 'before');
      await stage.fence();
      const { items, live } = await comeBack(last.bus, { from, channels: ['a'] });
      expect(items).toMatchObject([{ type: 'gap', reason: 'unknown_position' }]);
      expect(live?.complete).toBe(false);
    });

    it('tells who brings a place of the future or of another history that something may be missing', async () => {
      const { first, last } = await stage.start();
      await first.bus.publish('a', 'before');
      await stage.fence();
      const { epoch, index } = placeOf(last.bus.position());
      const future = [
        `${epoch}-${index + 1_000_000}`,
        `${epoch + 1_000_000}-1`,
        '9007199254740991-9007199254740991',
      ];
      for (const from of future) {
        const { items, live } = await comeBack(last.bus, { from, channels: ['a'] });
        expect(items, from).toMatchObject([{ type: 'gap', reason: 'unknown_position' }]);
        expect(live?.complete, from).toBe(false);
      }
      for (const from of ['0-0', '1-1', `${epoch - 1}-7`]) {
        const { items, live } = await comeBack(last.bus, { from, channels: ['a'] });
        expect(items[0]?.type, from).toBe('gap');
        expect(live?.complete, from).toBe(false);
      }
    });

    it('shows what was trimmed as a gap in front of what is left', async () => {
      const { first, last } = await stage.start({ ...WIDE, historyEntries: 20 });
      const from = last.bus.position();
      await publishAll(
        first.bus,
        Array.from({ length: 100 }, (_, i) => ({ channel: 'a', payload: `${i}` })),
      );
      await stage.fence();
      const { items, live } = await comeBack(last.bus, { from, channels: ['a'] });
      const [gap, ...rest] = items;
      expect(gap).toMatchObject({ type: 'gap', reason: 'history_trimmed' });
      expect(rest.map((item) => item.type === 'entry' && `${item.payload}`)).toEqual(
        Array.from({ length: 19 }, (_, i) => `${i + 81}`),
      );
      expect(
        comparePositions(placeOf(gap?.position ?? null), placeOf(rest[0]?.position ?? null)),
      ).toBeLessThan(0);
      expect(live?.complete).toBe(false);
      const again = await comeBack(last.bus, { from: gap?.position ?? null, channels: ['a'] });
      expect([again.items, again.live?.complete]).toEqual([rest, true]);
    });

    it('ends without going live where it is given up before or between pages, and rejects where a page throws', async () => {
      const { first, last } = await stage.start();
      const from = last.bus.position();
      await publishAll(
        first.bus,
        Array.from({ length: 900 }, (_, i) => ({ channel: 'a', payload: `${i}` })),
      );
      await stage.fence();
      const before = await comeBack(last.bus, { from, channels: ['a'], signal: AbortSignal.abort() });
      const abort = new AbortController();
      const onPage = async () => abort.abort();
      const between = await comeBack(last.bus, { from, channels: ['a'], signal: abort.signal, onPage });
      expect([before.pages.length, before.live, between.pages.length, between.live]).toEqual([
        0,
        null,
        1,
        null,
      ]);
      const failing = { from, channels: ['a'], onPage: () => Promise.reject(new Error('full')) };
      await expect(comeBack(last.bus, failing)).rejects.toThrow('full');
    });
  });
}

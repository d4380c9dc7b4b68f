import { afterEach, describe, expect, it } from 'vitest';
import { comparePositions } from '../../server/domain/position.ts';
import type { Heard } from './heard.ts';
import {
  comeBack,
  given,
  HistoryStage,
  joinLive,
  type OpenLog,
  placeOf,
  positionOf,
  publishAll,
} from './history-client.ts';
import { describeHistoryLimits } from './history-limits-behaviour.ts';

const BYTES = Buffer.from([0, 255, 13, 10, 0xc3, 0x28, 36, 0]);

const heardAll = ({ deliveries, positions }: Heard) =>
  deliveries.map(({ channel, payload }, i) => [channel, payload.toString('latin1'), positions[i]]);

/**
 * What every bus with a history must do. Nothing is assumed of positions but that they grow: a bus may give places
 * to what it delivers to nobody.
 * @param open a log without a past. A position of the future may be waited for: keep that far below 15 s
 */
export function describeHistory(name: string, open: OpenLog): void {
  describeHistoryLimits(name, open);
  describe(`${name}, as every bus with a history,`, () => {
    const stage = new HistoryStage(open);
    afterEach(() => stage.stop());

    it('has a position before anything was published', async () => {
      const { first } = await stage.start();
      expect(placeOf(first.bus.position())).toBeTruthy();
    });

    it('gives positions that grow in the order of delivery, the same on all nodes', async () => {
      await stage.start();
      for (const { bus } of stage.nodes) for (const channel of ['a', 'b', 'c']) await bus.follow(channel);
      for (let i = 0; i < 100; i++)
        await stage.nodes[i % stage.nodes.length]?.bus.publish('abc'[i % 3] ?? 'a', `${i}`);
      await stage.fence();
      const [mine, ...others] = stage.nodes.map(({ heard }) => heardAll(heard));
      expect(mine).toHaveLength(101);
      for (const other of others) expect(other).toEqual(mine);
      const positions = (mine ?? []).map(([, , position]) => placeOf(position ?? null));
      for (const [i, next] of positions.slice(1).entries())
        expect(comparePositions(positions[i] ?? next, next)).toBeLessThan(0);
    });

    it('stands at what it is delivering, and never goes back', async () => {
      const { first, last } = await stage.start();
      const seen: (readonly [string | null, string | null | undefined])[] = [];
      last.heard.onDeliver = () => void seen.push([last.bus.position(), last.heard.positions.at(-1)]);
      await last.bus.follow('a');
      await publishAll(
        first.bus,
        Array.from({ length: 50 }, (_, i) => ({ channel: 'a', payload: `${i}` })),
      );
      await stage.fence();
      expect(seen).toHaveLength(51);
      for (const [standing, delivered] of seen) expect(standing).toBe(delivered);
      const newest = placeOf(last.heard.positions.at(-1) ?? null);
      expect(comparePositions(placeOf(last.bus.position()), newest)).toBeGreaterThanOrEqual(0);
    });

    it('reaches what another node was ahead with, and not before it has delivered it', async () => {
      const { first } = await stage.start();
      const ways: Promise<readonly [string, string | null]>[] = [];
      for (const { bus, heard } of stage.nodes) {
        await bus.follow('a');
        heard.onDeliver = () => {
          const told = heard.positions.at(-1) ?? '';
          for (const other of stage.nodes) {
            const reached = other.bus.reach(told, new AbortController().signal);
            ways.push(reached.then(() => [told, other.bus.position()] as const));
          }
        };
      }
      await publishAll(
        first.bus,
        Array.from({ length: 50 }, () => ({ channel: 'a', payload: 'x' })),
      );
      await stage.fence();
      expect(ways).toHaveLength(51 * stage.nodes.length ** 2);
      for (const [told, standing] of await Promise.all(ways))
        expect(comparePositions(placeOf(standing), placeOf(told))).toBeGreaterThanOrEqual(0);
    });

    it('does not wait for ever for a place of the future, nor for anybody who is gone', async () => {
      const { last } = await stage.start();
      const { epoch, index } = placeOf(last.bus.position());
      for (const position of ['x', '', '0-0', `${epoch}-${index + 1_000_000}`])
        await last.bus.reach(position, new AbortController().signal);
      const gone = new AbortController();
      const waiting = last.bus.reach(`${epoch + 1}-1`, gone.signal);
      gone.abort();
      await waiting;
      await last.bus.reach(`${epoch + 1}-1`, gone.signal);
    });

    it('replays nothing to who brings no position', async () => {
      const { first, last } = await stage.start();
      await first.bus.publish('a', 'before');
      await stage.fence();
      const back = await comeBack(last.bus, { from: null, channels: ['a'] });
      expect([back.pages, back.live?.items, back.live?.complete]).toEqual([[], [], false]);
      expect(placeOf(back.live?.position ?? null)).toBeTruthy();
    });

    it('has nothing to replay to who has everything', async () => {
      const { first, last } = await stage.start();
      await first.bus.publish('a', 'before');
      await stage.fence();
      const back = await comeBack(last.bus, { from: last.bus.position(), channels: ['a', 'broadcast'] });
      expect([given(back), back.live?.complete]).toEqual([[], true]);
    });

    it('gives exactly what of the channels came after a position, on any node', async () => {
      const { first } = await stage.start();
      for (const { bus } of stage.nodes) await bus.follow('a');
      const sent = Array.from({ length: 30 }, (_, i) => ({ channel: 'abc'[i % 3] ?? 'a', payload: `${i}` }));
      await publishAll(first.bus, sent);
      await stage.fence();
      const from = positionOf(first.heard, 'a', '12');
      const missed = sent.slice(13).filter(({ channel }) => channel !== 'b');
      for (const { bus } of stage.nodes) {
        const back = await comeBack(bus, { from, channels: ['a', 'c'] });
        expect(given(back)).toEqual(missed.map(({ channel, payload }) => `${channel} ${payload}`));
        expect(back.live?.complete).toBe(true);
      }
    });

    it('gives the positions that were delivered with it', async () => {
      const { first, last } = await stage.start();
      const from = last.bus.position();
      for (const { bus } of stage.nodes) await bus.follow('a');
      await publishAll(
        first.bus,
        Array.from({ length: 20 }, (_, i) => ({ channel: 'a', payload: `${i}` })),
      );
      await stage.fence();
      const back = await comeBack(last.bus, { from, channels: ['a', 'broadcast'] });
      expect(back.items.map(({ position }) => position)).toEqual(first.heard.positions);
    });

    it('gives what nobody followed at the time, the custom channel and bytes too, from the very first on', async () => {
      const { first, last } = await stage.start();
      const from = last.bus.position();
      await first.bus.publish('nobody:1', BYTES);
      await first.bus.publish('broadcast', BYTES);
      await first.bus.publish('nobody:2', '山びこ \u2028 \ud83d\ude00');
      await first.bus.publish('nobody:1', '');
      await stage.fence();
      await last.bus.follow('nobody:1');
      const channels = ['nobody:1', 'nobody:2', 'broadcast'];
      const { items, live } = await comeBack(last.bus, { from, channels });
      expect(items.map((item) => item.type === 'entry' && [item.channel, item.payload])).toEqual([
        ['nobody:1', BYTES],
        ['broadcast', BYTES],
        ['nobody:2', Buffer.from('山びこ \u2028 \ud83d\ude00')],
        ['nobody:1', Buffer.alloc(0)],
        ['broadcast', Buffer.from('fence')],
      ]);
      expect(live?.complete).toBe(true);
      expect(first.heard.on('nobody:1')).toEqual([]);
    });

    it('goes live between two broadcasts: none of what comes while it pages is lost, doubled or overtaken', async () => {
      const { first, last } = await stage.start();
      const from = last.bus.position();
      const sent = Array.from({ length: 900 }, (_, i) => `${i}`);
      const more = Array.from({ length: 200 }, (_, i) => `more ${i}`);
      await publishAll(
        first.bus,
        sent.map((payload) => ({ channel: 'a', payload })),
      );
      await stage.fence();
      await last.bus.follow('a');
      const { got, onLive } = joinLive(last.heard, 'a');
      let publishing: Promise<void> | null = null;
      const back = await comeBack(last.bus, {
        from,
        channels: ['a'],
        onPage: async (items) => {
          for (const item of items) if (item.type === 'entry') got.push([item.position, `${item.payload}`]);
          publishing ??= (async () => {
            for (const [i, payload] of more.entries()) {
              await first.bus.publish('a', payload);
              if (i % 10 === 0) await new Promise(setImmediate);
            }
          })();
          await new Promise(setImmediate);
        },
        onLive,
      });
      await publishing;
      await stage.fence();
      expect(back.pages.length).toBeGreaterThan(0);
      expect(got.map(([, text]) => text)).toEqual([...sent, ...more]);
      for (const [i, [position]] of got.slice(1).entries())
        expect(comparePositions(placeOf(got[i]?.[0] ?? null), placeOf(position))).toBeLessThan(0);
    });

    it('serves two at once, each its own', async () => {
      const { first, last } = await stage.start();
      const from = last.bus.position();
      const sent = Array.from({ length: 1000 }, (_, i) => ({ channel: 'ab'[i % 2] ?? 'a', payload: `${i}` }));
      await publishAll(first.bus, sent);
      await stage.fence();
      const onPage = () => new Promise<void>((resolve) => setImmediate(resolve));
      const backs = await Promise.all(
        ['a', 'b'].map((channel) => comeBack(last.bus, { from, channels: [channel], onPage })),
      );
      for (const [i, channel] of ['a', 'b'].entries()) {
        const mine = sent.filter((s) => s.channel === channel).map(({ payload }) => `${channel} ${payload}`);
        expect(given(backs[i] ?? expect.fail())).toEqual(mine);
      }
    });

    it('keeps 5,000 broadcasts over 50 channels in one order', async () => {
      const { first, last } = await stage.start();
      const from = last.bus.position();
      const sent = Array.from({ length: 5000 }, (_, i) => ({ channel: `c${(i * 7) % 50}`, payload: `${i}` }));
      await publishAll(first.bus, sent);
      await stage.fence();
      for (const channels of [sent.slice(0, 50), sent.slice(0, 7)].map((some) =>
        some.map((s) => s.channel),
      )) {
        const back = await comeBack(last.bus, { from, channels });
        const mine = sent.filter(({ channel }) => channels.includes(channel));
        expect(given(back)).toEqual(mine.map(({ channel, payload }) => `${channel} ${payload}`));
        expect([back.live?.complete, back.pages.length > 0]).toEqual([true, true]);
      }
    });
  });
}

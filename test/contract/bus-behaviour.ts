import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../server/broker/bus/bus.ts';
import { UnavailableError } from '../../server/domain/outcome.ts';
import { Heard } from './heard.ts';

export interface OpenBus {
  readonly bus: Bus;
  readonly stop: () => Promise<void>;
}

/** What every bus must do (server/broker/bus.ts); the numbers are the contract's. */
export function describeBus(name: string, open: (heard: Heard) => Promise<OpenBus>): void {
  describe(`${name}, as every bus,`, () => {
    let heard: Heard;
    let bus: Bus;
    let stop: () => Promise<void>;

    beforeEach(async () => {
      heard = new Heard();
      ({ bus, stop } = await open(heard));
    });
    afterEach(() => stop());

    /** All that was published before has been heard, or never will be. */
    async function fence(): Promise<void> {
      const count = heard.on('broadcast').length;
      await bus.publish('broadcast', 'fence');
      await heard.payloads('broadcast', count + 1);
    }

    it('is ready after its start, and says so', () => {
      expect(bus.ready()).toBe(true);
      expect(heard.readinesses).toEqual([true]);
    });

    it('delivers to its own node what it published itself (1, 3)', async () => {
      await bus.follow('chat:1');
      await bus.publish('chat:1', 'hello');
      expect(await heard.payloads('chat:1', 1)).toEqual(['hello']);
    });

    it('delivers byte for byte, binary and text (1)', async () => {
      const bytes = Buffer.from([0, 255, 13, 10, 0xc3, 0x28, 36, 0]);
      await bus.follow('chat:1');
      await bus.publish('chat:1', bytes);
      await bus.publish('chat:1', '山びこ \u2028 \ud83d\ude00');
      await bus.publish('chat:1', '');
      await heard.payloads('chat:1', 3);
      expect(heard.deliveries.map((d) => d.payload)).toEqual([
        bytes,
        Buffer.from('山びこ \u2028 \ud83d\ude00'),
        Buffer.alloc(0),
      ]);
    });

    it('follows the custom channel by itself, and goes on when somebody unfollows it', async () => {
      await bus.follow('broadcast');
      bus.unfollow('broadcast');
      bus.unfollow('broadcast');
      await bus.publish('broadcast', 'for all');
      expect(await heard.payloads('broadcast', 1)).toEqual(['for all']);
    });

    it('does not deliver what nobody follows, nor what was heard before the follow', async () => {
      await bus.publish('chat:1', 'too early');
      await fence();
      await bus.follow('chat:1');
      await bus.publish('chat:2', 'elsewhere');
      await fence();
      expect(heard.on('chat:1')).toEqual([]);
      expect(heard.on('chat:2')).toEqual([]);
    });

    it('keeps one order over all channels (2)', async () => {
      await Promise.all(['a', 'b', 'c'].map((channel) => bus.follow(channel)));
      const sent = Array.from({ length: 300 }, (_, i) => ({ channel: 'abc'[i % 3] ?? 'a', text: String(i) }));
      await Promise.all(sent.map(({ channel, text }) => bus.publish(channel, text)));
      await fence();
      const got = heard.deliveries.filter((d) => d.channel !== 'broadcast');
      expect(got.map((d) => ({ channel: d.channel, text: d.payload.toString() }))).toEqual(sent);
    });

    it('delivers what a listener publishes after what it is hearing (2)', async () => {
      await bus.follow('chat:1');
      let depth = 0;
      heard.onDeliver = (_channel, text) => {
        expect(depth++).toBe(0);
        if (text === 'first') void bus.publish('chat:1', 'third');
        depth--;
      };
      await Promise.all([bus.publish('chat:1', 'first'), bus.publish('chat:1', 'second')]);
      expect(await heard.payloads('chat:1', 3)).toEqual(['first', 'second', 'third']);
    });

    it('counts follows: one unfollow does not silence the other follower (4)', async () => {
      await bus.follow('chat:1');
      await bus.follow('chat:1');
      bus.unfollow('chat:1');
      await bus.publish('chat:1', 'still here');
      expect(await heard.payloads('chat:1', 1)).toEqual(['still here']);
      bus.unfollow('chat:1');
      await bus.publish('chat:1', 'nobody here');
      await fence();
      expect(heard.on('chat:1')).toEqual(['still here']);
    });

    it('takes an unfollow too many as none', async () => {
      bus.unfollow('chat:1');
      await bus.follow('chat:1');
      await bus.publish('chat:1', 'heard');
      expect(await heard.payloads('chat:1', 1)).toEqual(['heard']);
    });

    it('delivers once, however often and at once a channel is followed (1)', async () => {
      await Promise.all(Array.from({ length: 50 }, () => bus.follow('chat:1')));
      await bus.publish('chat:1', 'once');
      await fence();
      expect(heard.on('chat:1')).toEqual(['once']);
    });

    it('hears again after coming back to a channel', async () => {
      for (let round = 1; round <= 20; round++) {
        await bus.follow('chat:1');
        await bus.publish('chat:1', String(round));
        await heard.payloads('chat:1', round);
        bus.unfollow('chat:1');
      }
      expect(heard.on('chat:1')).toHaveLength(20);
    });

    it.each(['news.*', 'news?', '[a-z]', '{tag}', '{', 'h{a}{b}', '通知:日本', 'a\\b', '*', '"', "it's"])(
      'takes the name %s literally',
      async (channel) => {
        await bus.follow(channel);
        await bus.publish('news.1', 'glob');
        await bus.publish('news1', 'glob');
        await bus.publish('q', 'glob');
        await bus.publish(channel, 'mine');
        await fence();
        expect(heard.deliveries.filter((d) => d.channel !== 'broadcast')).toEqual([
          { channel, payload: Buffer.from('mine') },
        ]);
      },
    );

    it("goes on after a listener's exception (6)", async () => {
      await bus.follow('chat:1');
      heard.onDeliver = (_channel, text) => {
        if (text === 'bad') throw new Error('a fault in the listener');
      };
      await Promise.all([bus.publish('chat:1', 'bad'), bus.publish('chat:1', 'good')]);
      expect(await heard.payloads('chat:1', 2)).toEqual(['bad', 'good']);
    });

    it('refuses when it is stopped (5)', async () => {
      await bus.stop();
      expect(bus.ready()).toBe(false);
      await expect(bus.publish('chat:1', 'x')).rejects.toThrow(UnavailableError);
      await expect(bus.follow('chat:1')).rejects.toThrow(UnavailableError);
    });
  });
}

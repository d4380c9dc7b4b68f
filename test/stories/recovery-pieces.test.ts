import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EchoClient } from '../support/echo-client.ts';
import { commandPacket, Uplink } from '../support/uplink.ts';
import { until } from '../support/yamabiko.ts';
import { numbersOf, PLACES, RecoveryStage } from './recovery-stage.ts';

/**
 * What a page sends in one turn comes in pieces: by polling the first of it travels alone, by WebSocket a lost packet
 * is enough. The server must not take the first piece for all.
 */
describe.each(PLACES)('%s: where the first piece of what a page sent comes alone', (place) => {
  let stage: RecoveryStage;
  beforeAll(async () => {
    stage = await RecoveryStage.start({}, place);
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.stop());

  async function opened(transport: 'websocket' | 'polling' = 'websocket') {
    const page = await stage.page({ transports: [transport] });
    const [a, b] = [numbersOf(page, 'a'), numbersOf(page, 'b')];
    await page.settled('a');
    await page.settled('b');
    // From here on it has a position.
    await stage.publish('a', 1);
    await stage.publish('b', 1);
    await until(() => a.length === 1 && b.length === 1, 'both are heard');
    page.drain();
    return { page, a, b };
  }

  /** It is away, misses `n` on both, and comes back; only the first of its subscribes gets through. */
  async function halfBack(page: EchoClient, n: number): Promise<Uplink> {
    const next = Uplink.ofNext(page.socket, commandPacket('subscribe'));
    await stage.away(page, async () => {
      await stage.publish('a', n);
      await stage.publish('b', n);
    });
    return next;
  }

  describe.each(['websocket', 'polling'] as const)('by %s', (transport) => {
    // The chaos run lost by it: the first channel carried the page's position past what the others had missed.
    it('waits for the rest however late it comes, and brings all in the order in which it was published', async () => {
      const { page } = await opened(transport);
      const uplink = await halfBack(page, 2);
      // More than any pause between two pieces that a server could guess.
      await sleep(2_000);
      uplink.release();
      const heard = [];
      while (heard.length < 4) {
        const { event, args } = await page.next();
        heard.push(event === 'counted' ? `${args[0]}${args[1].n}` : `${event} ${args[0]}`);
      }
      expect(heard).toEqual(['a2', 'b2', 'subscription_succeeded a', 'subscription_succeeded b']);
    });

    it('loses nothing where the page is cut before the rest has come', async () => {
      const { page, a, b } = await opened(transport);
      const uplink = await halfBack(page, 2);
      // At the latest after five seconds.
      expect(await page.next('subscription_succeeded')).toMatchObject({ args: ['a', { recovered: true }] });
      await stage.publish('a', 3);
      await stage.publish('b', 3);
      await until(() => a.includes(3), 'the first is live');
      expect(b).toEqual([1]);
      uplink.lose();
      await stage.away(page, async () => {});
      await until(() => b.includes(3), 'the other is back');
      expect(b).toEqual([1, 2, 3]);
    });
  });

  /** As React does with a component that is mounted anew; only the leaving gets through. */
  async function halfRejoined(page: EchoClient, a: number[]): Promise<Uplink> {
    const uplink = Uplink.of(page.socket, commandPacket('unsubscribe'));
    page.echo.leave('a');
    page.channel('a').channel.listen('counted', (payload) => a.push((payload as { n: number }).n));
    await until(() => stage.held('channels') === 1, 'it has left');
    return uplink;
  }

  it('loses nothing where a page leaves a channel, takes it again at once, and is cut between the two', async () => {
    const { page, a, b } = await opened();
    const uplink = await halfRejoined(page, a);
    await stage.publish('a', 2);
    await stage.publish('b', 2);
    await until(() => b.includes(2), 'the other goes on');
    uplink.lose();
    await stage.away(page, async () => {});
    await until(() => a.includes(2), 'it is back');
    expect(a).toEqual([1, 2]);
  });

  it('tells a page how far it is, as soon as it is clear that it has only left', async () => {
    const { page, a, b } = await opened();
    const uplink = Uplink.of(page.socket, commandPacket('unsubscribe'));
    page.echo.leave('a');
    await until(() => stage.held('channels') === 1, 'it has left');
    await stage.publish('b', 2);
    expect(await page.next('counted')).toMatchObject({ args: ['b', { n: 2 }], position: undefined });
    uplink.release();
    expect((await page.next('subscription_position')).position).toBeDefined();
    await stage.away(page, () => stage.publish('b', 3));
    await until(() => b.includes(3), 'it is back');
    expect(b).toEqual([1, 2, 3]);
    expect(a).toEqual([1]);
  });
});

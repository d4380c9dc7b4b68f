import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EchoClient } from '../support/echo-client.ts';
import { PLACES, RecoveryStage } from './recovery-stage.ts';

/**
 * The chaos run found it: by polling a turn's first frame travels alone. A page that was cut behind it came back with the
 * position of what it had on one channel only, and was never given the rest.
 */
describe.each(PLACES)('%s: what a page hears on several channels', (place) => {
  let stage: RecoveryStage;
  beforeAll(async () => {
    stage = await RecoveryStage.start({}, place);
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.stop());

  const onBoth = async () => {
    const page = await stage.page();
    page.private('chat:7', 'message');
    page.join('chat:7', 'message');
    await page.settled('private-chat:7');
    await page.settled('presence-chat:7');
    return page;
  };

  /** Each of the next two messages: its channel, and whether it bore a position. */
  const nextTwo = async (page: EchoClient) => {
    const events = [await page.next('message'), await page.next('message')];
    return events.map(({ args, position }) => [args[0], position !== undefined]);
  };

  it('bears its position on the last of them alone', async () => {
    const page = await onBoth();
    await stage.say('chat:7', 'hello');
    expect(await nextTwo(page)).toEqual([
      ['private-chat:7', false],
      ['presence-chat:7', true],
    ]);
  });

  it('does so where it is one of Laravel’s events, too', async () => {
    const page = await onBoth();
    await stage.publishBytes(
      'presence-chat:7',
      JSON.stringify({ event: 'message', data: { message: 'hello', name: 'n' }, socket: null }),
    );
    expect(await nextTwo(page)).toEqual([
      ['presence-chat:7', false],
      ['private-chat:7', true],
    ]);
  });

  it('bears it where the other channel of that name is one that gets none of it', async () => {
    const page = await stage.page();
    page.private('chat:7', 'message');
    page.channel('chat:7', 'message');
    await page.settled('private-chat:7');
    await page.settled('chat:7');
    const message = JSON.stringify({ event: 'message', data: { message: 'hello', name: 'n' }, socket: null });
    await stage.publishBytes('private-chat:7', message);
    const { args, position } = await page.next('message');
    expect([args[0], position !== undefined]).toEqual(['private-chat:7', true]);
    await stage.say('chat:7', 'hello');
    const room = await page.next('message');
    expect([room.args[0], room.position !== undefined]).toEqual(['private-chat:7', true]);
  });

  it('does so where it is replayed', async () => {
    const page = await onBoth();
    await stage.away(page, () => stage.say('chat:7', 'hello'));
    expect(await nextTwo(page)).toEqual([
      ['private-chat:7', false],
      ['presence-chat:7', true],
    ]);
  });

  it('bears it on each for a client that keeps one for each, also where it is replayed', async () => {
    const wires = ['private-chat:7', 'presence-chat:7'];
    const auth = { headers: { Authorization: 'Bearer 7:grace' } };
    const client = await stage.wire();
    const places: string[] = [];
    for (const channel of wires) {
      const { position } = await client.request('subscribe', { channel, auth, since: '' });
      places.push(position);
    }
    await stage.say('chat:7', 'hello');
    const positions = async () =>
      [await client.next('message'), await client.next('message')].map((e) => e.position);
    const [first, second] = await positions();
    expect(first).toBeDefined();
    expect(second).toBe(first);
    await stage.away(client, async () => {});
    await Promise.all(
      wires.map((channel, i) => client.request('subscribe', { channel, auth, since: places[i] })),
    );
    expect(await positions()).toEqual([first, first]);
  });

  it('bears it on a single one', async () => {
    const page = await stage.page();
    page.private('chat:7', 'message');
    await page.settled('private-chat:7');
    await stage.say('chat:7', 'hello');
    expect((await page.next('message')).position).toBeDefined();
  });

  it('tells a gap on each of them with the place before it', async () => {
    const page = await onBoth();
    await stage.say('chat:7', 'hello');
    await nextTwo(page);
    // As a page that comes from a server with another history.
    await stage.away(page, async () => {
      Object.assign(page.socket, { _lastOffset: '1-1' });
    });
    for (const wire of ['private-chat:7', 'presence-chat:7']) {
      const gap = await page.next(({ event, args }) => event === 'subscription_gap' && args[0] === wire);
      const done = await page.next(
        ({ event, args }) =>
          event === 'subscription_succeeded' && args[0] === wire && args[1].recovered === false,
      );
      expect(indexOf(gap.position)).toBeLessThan(indexOf(done.position));
    }
  });

  const indexOf = (position = '') => Number(position.split('-')[1]);
});

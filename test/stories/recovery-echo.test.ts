import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Transport } from '../support/socket-io.ts';
import { until } from '../support/yamabiko.ts';
import { breakWebSocket, numbersOf, PLACES, RecoveryStage, upTo } from './recovery-stage.ts';

const TRANSPORTS: [string, Transport[]][] = [
  ['WebSocket', ['websocket']],
  ['polling', ['polling']],
  ['polling that is upgraded', ['polling', 'websocket']],
];

/** An unmodified page: laravel-echo 2.5 on socket.io-client 4.8. */
describe.each(PLACES)('%s: a page of Echo that is cut', (place) => {
  let stage: RecoveryStage;
  beforeAll(async () => {
    stage = await RecoveryStage.start({}, place);
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.stop());

  it.each(TRANSPORTS)('is given what it missed, in order and once, by %s', async (_name, transports) => {
    const page = await stage.page({ transports });
    const heard: number[] = [];
    for (const name of ['a', 'b']) {
      page.channel(name).channel.listen('counted', (payload) => heard.push((payload as { n: number }).n));
      await page.settled(name);
    }
    await stage.publish('a', 1);
    await until(() => heard.length === 1, 'the first is heard');
    await stage.away(page, async () => {
      for (let n = 2; n <= 301; n++) await stage.publish(n % 3 === 0 ? 'b' : 'a', n);
      await stage.publish('other', 999);
    });
    expect(await page.settled('a')).toEqual({ ok: true, info: { recovered: true, replayed: 200 } });
    expect(await page.settled('b')).toEqual({ ok: true, info: { recovered: true, replayed: 100 } });
    await stage.publish('a', 302);
    await until(
      () => heard.length >= 302,
      () => `all is heard: ${heard}`,
    );
    expect(heard).toEqual(upTo(302));
  });

  it('gets nothing doubled or lost where it is cut again and again, in the midst of a replay too', async () => {
    const page = await stage.page();
    const names = ['a', 'b', 'c', 'd'];
    const heard = names.map((name) => numbersOf(page, name));
    for (const name of names) await page.settled(name);
    let published = 0;
    const publishAll = async (count: number) => {
      for (let i = 0; i < count; i++) {
        published++;
        for (const name of names) await stage.publish(name, published);
      }
    };
    // The next cut falls into the replay, each time a little later in it.
    let cutAt = Number.POSITIVE_INFINITY;
    let cuts = 0;
    page.channel('a').channel.listen('counted', () => {
      if ((heard[0]?.length ?? 0) < cutAt) return;
      cutAt = Number.POSITIVE_INFINITY;
      cuts++;
      breakWebSocket(page);
    });
    for (let round = 0; round < 8; round++) {
      await stage.away(page, async () => {
        await publishAll(200);
        cutAt = (heard[0]?.length ?? 0) + 25 * (round + 1);
      });
      await until(() => cuts > round, 'the replay was cut');
      await page.connected();
      await until(() => stage.held('echo') === 1, 'the server knows of the one connection');
    }
    await publishAll(1);
    await until(
      () => heard.every((numbers) => numbers.length >= published),
      () => `all is heard: ${heard.map(({ length }) => length)} of ${published}`,
    );
    for (const numbers of heard) expect(numbers).toEqual(upTo(published));
  });

  it('hears neither its own whisper nor an event to others, replayed or live, after two cuts', async () => {
    const page = await stage.page();
    const other = await stage.page({ authHeaders: { Authorization: 'Bearer 8:linus' } });
    const own = page.private('room').listenForWhisper('typing');
    const others = other.private('room').listenForWhisper('typing');
    await Promise.all([page.settled('private-room'), other.settled('private-room')]);
    const numbers = numbersOf(page, 'room', 'private');
    const ids = [page.id];
    own.whisper('typing', { n: 1 });
    await others.next('whisper typing');
    await stage.away(page, () => stage.publish('private-room', 1, ids[0]));
    ids.push(page.id);
    await page.settled('private-room');
    await stage.publish('private-room', 2, ids[0]);
    await stage.away(page, () => stage.publish('private-room', 3, ids[1]));
    await page.settled('private-room');
    for (const [n, id] of [...ids, page.id].entries()) await stage.publish('private-room', 10 + n, id);
    await stage.publish('private-room', 20, other.id);
    await until(() => numbers.includes(20), 'the last is heard');
    expect(numbers).toEqual([20]);
    expect(own.unread()).toEqual([]);
    expect(new Set([...ids, page.id]).size).toBe(3);
  });

  it('is told to be recovered by us alone: Socket.IO takes each connection for a new one', async () => {
    const page = await stage.page();
    page.channel('a');
    await page.settled('a');
    await stage.away(page, async () => {});
    await page.settled('a');
    expect((page.socket as unknown as { recovered: boolean }).recovered).toBe(false);
  });

  it('is given whispers and messages of its room, and not comings and goings: the list replaces them', async () => {
    const page = await stage.page();
    const heard = page.join('chat:1', '.message', 'counted').listenForWhisper('typing');
    await heard.next('here');
    const other = await stage.page({ authHeaders: { Authorization: 'Bearer 8:linus' } });
    const guest = other.join('chat:1').listenForWhisper('typing');
    await heard.next('joining');
    heard.drain();
    await stage.away(page, async () => {
      await other.settled('presence-chat:1');
      guest.whisper('typing', { n: 1 });
      await stage.say('chat:1', 'hello');
      await stage.publish('presence-chat:1', 2);
      const third = await stage.page({ authHeaders: { Authorization: 'Bearer 9:ada' } });
      await third.join('chat:1').next('here');
    });
    await heard.next('here');
    await until(() => heard.unread().length >= 2, 'what was missed is heard');
    await stage.publish('presence-chat:1', 3);
    await heard.next(({ payload }) => payload.n === 3);
    const order = page.drain().flatMap(({ event, args }) => (args[0] === 'presence-chat:1' ? [event] : []));
    expect(new Set(order.slice(-6, -3))).toEqual(new Set(['client-typing', 'message', 'counted']));
    expect(order.slice(-3)).toEqual(['presence:subscribed', 'subscription_succeeded', 'counted']);
  });

  it('is given nothing of a channel that it may not see any more', async () => {
    const page = await stage.page();
    const [kept, lost] = [numbersOf(page, 'kept', 'private'), numbersOf(page, 'lost', 'private')];
    await Promise.all([page.settled('private-kept'), page.settled('private-lost')]);
    stage.answer = ({ channel }) =>
      channel === 'private-lost' ? Promise.resolve({ status: 403, body: '{}' }) : null;
    await stage.away(page, async () => {
      await stage.publish('private-kept', 1);
      await stage.publish('private-lost', 1);
    });
    expect(await page.settled('private-lost')).toEqual({ ok: false, status: 403 });
    expect(await page.settled('private-kept')).toMatchObject({ info: { recovered: true, replayed: 1 } });
    expect([kept, lost]).toEqual([[1], []]);
  });

  it('is told of a gap on a channel for which Laravel cannot be asked, since the others move its position on', async () => {
    const page = await stage.page();
    const [kept, lost] = [numbersOf(page, 'kept', 'private'), numbersOf(page, 'lost', 'private')];
    await Promise.all([page.settled('private-kept'), page.settled('private-lost')]);
    const gaps: unknown[] = [];
    page.socket.on('subscription_gap', (...args: unknown[]) => void gaps.push(args));
    stage.answer = ({ channel }) =>
      channel === 'private-lost' ? Promise.resolve({ status: 503, body: '{}' }) : null;
    await stage.away(page, async () => {
      await stage.publish('private-kept', 1);
      await stage.publish('private-lost', 1);
    });
    expect(await page.settled('private-lost')).toEqual({ ok: false, status: 503 });
    expect(await page.settled('private-kept')).toMatchObject({ info: { recovered: true, replayed: 1 } });
    expect(gaps).toEqual([['private-lost', { reason: 'auth_error' }]]);
    expect([kept, lost]).toEqual([[1], []]);
  });

  it('of 120 channels is given what it missed on each, and none is refused as too fast', async () => {
    const page = await stage.page();
    const names = Array.from({ length: 120 }, (_, i) => `many-${i}`);
    const heard = names.map((name) => numbersOf(page, name, 'private'));
    for (const name of names) await page.settled(`private-${name}`);
    await stage.away(page, async () => {
      for (const n of upTo(3)) for (const name of names) await stage.publish(`private-${name}`, n);
    });
    const answers = await Promise.all(names.map((name) => page.settled(`private-${name}`)));
    for (const answer of answers)
      expect(answer).toEqual({ ok: true, info: { recovered: true, replayed: 3 } });
    for (const numbers of heard) expect(numbers).toEqual([1, 2, 3]);
  });

  it('in two tabs is given what each missed', async () => {
    const [one, two] = [await stage.page(), await stage.page()];
    const [first, second] = [numbersOf(one, 'a'), numbersOf(two, 'a')];
    await Promise.all([one.settled('a'), two.settled('a')]);
    await stage.publish('a', 1);
    await until(() => second.length === 1, 'both have the first');
    await stage.away(one, () => stage.publish('a', 2));
    await one.settled('a');
    await stage.away(two, () => stage.publish('a', 3));
    await two.settled('a');
    await stage.publish('a', 4);
    await until(() => first.length >= 4 && second.length >= 4, 'both have all');
    expect([first, second]).toEqual([upTo(4), upTo(4)]);
  });
});

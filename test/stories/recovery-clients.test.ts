import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EchoClient } from '../support/echo-client.ts';
import { mintToken } from '../support/jwt.ts';
import type { ClientVersion, Transport } from '../support/socket-io.ts';
import { until } from '../support/yamabiko.ts';
import { numbersOf, PLACES, RecoveryStage, upTo } from './recovery-stage.ts';

const OLDER: [ClientVersion, Transport][] = [
  [2, 'websocket'],
  [2, 'polling'],
  [3, 'websocket'],
  [3, 'polling'],
];

/** When a page that is cut tries again for the first time. */
function comeBackAfter({ socket }: EchoClient, delayMs: number): void {
  const manager = socket.io as unknown as Record<string, (value: number) => void>;
  manager.reconnectionDelayMax?.(delayMs);
  manager.reconnectionDelay?.(delayMs);
  manager.randomizationFactor?.(0);
}

describe.each(PLACES)('%s: clients that keep no position', (place) => {
  let stage: RecoveryStage;
  beforeAll(async () => {
    stage = await RecoveryStage.start({}, place);
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.stop());

  it.each(OLDER)(
    'socket.io-client %i by %s: works as before, and the position harms nothing',
    async (version, transport) => {
      const page = await stage.page({ version, transports: [transport] });
      const heard = numbersOf(page, 'old', 'private');
      const subscription = page.join('chat:1').listenForWhisper('typing');
      await page.settled('private-old');
      expect(await subscription.next('here')).toMatchObject({ payload: [{ id: 7, name: 'grace' }] });
      await stage.publish('private-old', 1);
      await until(() => heard.length === 1, 'the first is heard');
      await stage.away(page, () => stage.publish('private-old', 2));
      expect(await page.settled('private-old')).toEqual({ ok: true, info: {} });
      await stage.publish('private-old', 3);
      await until(() => heard.includes(3), 'the third is heard');
      expect(heard).toEqual([1, 3]);
    },
  );

  it('a page that is loaded anew begins anew', async () => {
    const page = await stage.page();
    numbersOf(page, 'a');
    await page.settled('a');
    page.close();
    await stage.publish('a', 1);
    await stage.spread();
    const again = await stage.page();
    const heard = numbersOf(again, 'a');
    expect(await again.settled('a')).toEqual({ ok: true, info: {} });
    await stage.publish('a', 2);
    await until(() => heard.length > 0, 'the second is heard');
    expect(heard).toEqual([2]);
  });
});

describe.each(PLACES)('%s: a page whose right ends', (place) => {
  let stage: RecoveryStage;
  beforeAll(async () => {
    stage = await RecoveryStage.start({ YAMABIKO_JWT_CLOCK_TOLERANCE_SECONDS: '0' }, place);
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.stop());

  it('while it is away is given nothing of what it may no longer see', async () => {
    const exp = Math.floor(Date.now() / 1000) + 3;
    const token = mintToken({ channel: 'chat:1', exp });
    const page = await stage.page({ authHeaders: { Authorization: `Bearer ${token}` } });
    page.channel('chat:1', '.message', 'message');
    const heard = numbersOf(page, 'open');
    expect(await page.settled('chat:1')).toMatchObject({ ok: true });
    await page.settled('open');
    comeBackAfter(page, 3_500);
    await stage.away(page, async () => {
      await stage.say('chat:1', 'secret');
      await stage.publish('open', 1);
      await until(() => Date.now() / 1000 > exp + 0.1, 'the token has expired');
    });
    expect(await page.settled('chat:1')).toEqual({ ok: false, status: 401 });
    await until(() => heard.length > 0, 'the open one is heard');
    const events = page.drain().filter(({ args }) => args[0] === 'chat:1');
    expect(events.map(({ event }) => event)).not.toContain('message');
    expect(heard).toEqual([1]);
  });
});

describe('where recovery is off', () => {
  let stage: RecoveryStage;
  beforeAll(async () => {
    stage = await RecoveryStage.start({ YAMABIKO_RECOVERY: 'off' });
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.stop());

  it('a page is sent no position, brings none, and what it missed is lost, as it always was', async () => {
    const page = await stage.page();
    const heard = numbersOf(page, 'a');
    await page.settled('a');
    await stage.publish('a', 1);
    await until(() => heard.length === 1, 'the first is heard');
    expect(page.drain().map(({ event, all = [] }) => [event, ...all])).toEqual([
      ['subscription_succeeded', 'a', {}],
      ['counted', 'a', { n: 1 }],
    ]);
    await stage.away(page, () => stage.publish('a', 2));
    expect(await page.settled('a')).toEqual({ ok: true, info: {} });
    await stage.publish('a', 3);
    await until(() => heard.length > 1, 'the third is heard');
    expect(heard).toEqual([1, 3]);
  });

  it('a client that brings a position is told that nothing can be brought', async () => {
    const client = await stage.wire();
    expect(await client.request('subscribe', { channel: 'a', since: '1-1' })).toEqual({
      ok: true,
      channel: 'a',
      recovered: false,
      replayed: 0,
    });
    expect((await client.next()).all).toEqual(['a', { reason: 'unknown_position' }]);
    const raw = await stage.raw({ token: mintToken(), query: { since: '1-1' } });
    expect(raw.connected).toMatchObject({ position: null, recovered: false, replayed: 0 });
    expect(await raw.next()).toEqual({ type: 'gap', reason: 'unknown_position', position: null });
    const asking = await stage.raw({ token: mintToken(), query: { since: '' } });
    expect(asking.connected).toMatchObject({ position: null });
    await stage.say('chat:1', 'hi');
    expect(await asking.next('message')).not.toHaveProperty('position');
  });
});

describe.each(PLACES)('%s: a page by polling, whose burst of subscribes comes in pieces', (place) => {
  let stage: RecoveryStage;
  beforeAll(async () => {
    stage = await RecoveryStage.start({}, place);
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.stop());

  it('gets all in one order', async () => {
    const page = await stage.page({ transports: ['polling'] });
    const names = upTo(30).map((n) => `p${n}`);
    const heard: number[] = [];
    for (const name of names) {
      page.channel(name).channel.listen('counted', (payload) => heard.push((payload as { n: number }).n));
      await page.settled(name);
    }
    await stage.away(page, async () => {
      for (const n of upTo(300)) await stage.publish(`p${1 + (n % 30)}`, n);
    });
    for (const name of names) expect(await page.settled(name)).toMatchObject({ info: { replayed: 10 } });
    expect(heard).toEqual(upTo(300));
  });
});

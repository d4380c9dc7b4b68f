import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../support/yamabiko.ts';
import { numbersOf, RecoveryStage, upTo, webSocketOf } from './recovery-stage.ts';

const MANY = 100_000;

describe('a replay', () => {
  let stage: RecoveryStage;
  afterEach(async () => {
    await stage?.clear();
    await stage?.stop();
  });
  const tooSlow = () => stage.node.metric('yamabiko_refusals_total', { code: 'too_slow' });

  it('of 100,000 events goes as fast as its reader, however slow, and ends him not', async () => {
    stage = await RecoveryStage.start({ YAMABIKO_OUTBOX_BYTES: '65536' });
    const page = await stage.page();
    const heard = numbersOf(page, 'a');
    await page.settled('a');
    await stage.away(page, async () => {
      for (const n of upTo(MANY)) await stage.publish('a', n);
    });
    // A reader in fits and starts, while the channel goes on.
    let live = MANY;
    while (heard.length < MANY) {
      webSocketOf(page).pause();
      await stage.publish('a', ++live);
      await new Promise((resolve) => setTimeout(resolve, 20));
      webSocketOf(page).resume();
      const before = heard.length;
      await until(() => heard.length > before, 'more is heard');
    }
    await until(() => heard.length >= live, 'all is heard');
    expect(heard).toEqual(upTo(live));
    expect(await tooSlow()).toBe(0);
    expect(await stage.node.metric('yamabiko_replayed_broadcasts_total')).toBeGreaterThanOrEqual(MANY);
  });

  it('by polling goes as fast as the polls', async () => {
    stage = await RecoveryStage.start({ YAMABIKO_OUTBOX_BYTES: '65536' });
    const page = await stage.page({ transports: ['polling'] });
    const heard = numbersOf(page, 'a');
    await page.settled('a');
    await stage.away(page, async () => {
      for (const n of upTo(10_000)) await stage.publish('a', n);
    });
    expect(await page.settled('a')).toEqual({ ok: true, info: { recovered: true, replayed: 10_000 } });
    expect(heard).toEqual(upTo(10_000));
    expect(await tooSlow()).toBe(0);
  });

  it('of large events puts no more into memory than the outbox and some events', async () => {
    stage = await RecoveryStage.start({ YAMABIKO_OUTBOX_BYTES: '65536' });
    const client = await stage.wire();
    const { position: since } = await client.request('subscribe', { channel: 'a', since: '' });
    await client.unsubscribe('a');
    for (const n of upTo(600)) await stage.publish('a', n, null, 'x'.repeat(30_000));
    const live = client.request('subscribe', { channel: 'a', since });
    await until(() => stage.node.snapshot().channels === 0, 'it has left');
    webSocketOf(client).pause();
    // What does not fit into the network waits in the history: the channel would be live at once otherwise.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(stage.node.snapshot().channels).toBe(0);
    webSocketOf(client).resume();
    expect(await live).toMatchObject({ recovered: true, replayed: 600 });
    const events = client.drain().filter(({ event }) => event === 'counted');
    expect(events.map(({ args }) => args[1].n)).toEqual(upTo(600));
    expect(await tooSlow()).toBe(0);
  });

  it('ends with its connection, and leaves nothing behind', async () => {
    stage = await RecoveryStage.start({ YAMABIKO_OUTBOX_BYTES: '16384' });
    const page = await stage.page();
    numbersOf(page, 'a');
    await page.settled('a');
    await stage.away(page, async () => {
      for (const n of upTo(50_000)) await stage.publish('a', n, null, 'x'.repeat(200));
    });
    await page.next('counted');
    webSocketOf(page).pause();
    page.close();
    webSocketOf(page).terminate();
    await stage.node.settledToZero();
  });
});

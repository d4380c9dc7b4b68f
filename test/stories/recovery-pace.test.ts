import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../support/yamabiko.ts';
import { numbersOf, PLACES, RecoveryStage, upTo, webSocketOf } from './recovery-stage.ts';

/** All of it lies in the history, whatever it costs there. */
const SETTINGS = { YAMABIKO_OUTBOX_BYTES: '65536', YAMABIKO_HISTORY_BYTES: '536870912' };

describe.each(PLACES)('%s: a replay', { timeout: 90_000 }, (place) => {
  let stage: RecoveryStage;
  // By Redis each event takes several steps of this one process.
  const many = place === 'in memory' ? 100_000 : 30_000;
  afterEach(async () => {
    await stage?.clear();
    await stage?.stop();
  });
  const tooSlow = () => stage.metric('yamabiko_refusals_total', { code: 'too_slow' });

  it('of very many events goes as fast as its reader, however slow, and ends him not', async () => {
    stage = await RecoveryStage.start(SETTINGS, place);
    const page = await stage.page();
    const heard = numbersOf(page, 'a');
    await page.settled('a');
    await stage.away(page, async () => {
      await stage.publishAll('a', upTo(many));
    });
    // A reader in fits and starts, while the channel goes on.
    let live = many;
    for (let round = 0; round < 50 && heard.length < many; round++) {
      webSocketOf(page).pause();
      await stage.publish('a', ++live);
      await new Promise((resolve) => setTimeout(resolve, 20));
      webSocketOf(page).resume();
      const before = heard.length;
      await until(() => heard.length > before, 'more is heard');
    }
    expect(await page.settled('a')).toMatchObject({ info: { recovered: true } });
    await until(() => heard.length >= live, 'all is heard', 30_000);
    expect(heard).toEqual(upTo(live));
    expect(await tooSlow()).toBe(0);
    expect(await stage.metric('yamabiko_replayed_broadcasts_total')).toBeGreaterThanOrEqual(many);
  });

  it('by polling goes as fast as the polls', async () => {
    stage = await RecoveryStage.start(SETTINGS, place);
    const page = await stage.page({ transports: ['polling'] });
    const heard = numbersOf(page, 'a');
    await page.settled('a');
    await stage.away(page, async () => {
      await stage.publishAll('a', upTo(10_000));
    });
    expect(await page.settled('a')).toEqual({ ok: true, info: { recovered: true, replayed: 10_000 } });
    expect(heard).toEqual(upTo(10_000));
    expect(await tooSlow()).toBe(0);
  });

  it('of large events puts no more into memory than the outbox and some events', async () => {
    stage = await RecoveryStage.start(SETTINGS, place);
    // No balancer before it, which would take in some more.
    const client = await stage.wire({ url: stage.url });
    const { position: since } = await client.request('subscribe', { channel: 'a', since: '' });
    await client.unsubscribe('a');
    await stage.publishAll('a', upTo(600), 'x'.repeat(30_000));
    await stage.spread();
    const live = client.request('subscribe', { channel: 'a', since });
    await until(() => stage.held('channels') === 0, 'it has left');
    webSocketOf(client).pause();
    // What does not fit into the network waits in the history: the channel would be live at once otherwise.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(stage.held('channels')).toBe(0);
    webSocketOf(client).resume();
    expect(await live).toMatchObject({ recovered: true, replayed: 600 });
    const events = client.drain().filter(({ event }) => event === 'counted');
    expect(events.map(({ args }) => args[1].n)).toEqual(upTo(600));
    expect(await tooSlow()).toBe(0);
  });

  it('ends with its connection, and leaves nothing behind', async () => {
    stage = await RecoveryStage.start({ ...SETTINGS, YAMABIKO_OUTBOX_BYTES: '16384' }, place);
    const page = await stage.page();
    numbersOf(page, 'a');
    await page.settled('a');
    await stage.away(page, async () => {
      await stage.publishAll('a', upTo(many / 2), 'x'.repeat(200));
    });
    await page.next('counted');
    webSocketOf(page).pause();
    page.close();
    webSocketOf(page).terminate();
    for (const node of stage.nodes) await node.settledToZero();
  });
});

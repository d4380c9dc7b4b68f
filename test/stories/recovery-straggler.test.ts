import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { WireClient } from '../support/wire-client.ts';
import { until } from '../support/yamabiko.ts';
import { numbersOf, PLACES, RecoveryStage, upTo } from './recovery-stage.ts';

const POSITION = expect.stringMatching(/^\d+-\d+$/);

describe.each(PLACES)('%s: a subscribe that comes later than the others after a reconnect', (place) => {
  let stage: RecoveryStage;
  let release: () => void = () => {};
  beforeAll(async () => {
    stage = await RecoveryStage.start({}, place);
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.stop());

  /** Laravel thinks about private-late until it is released. */
  function hold(): void {
    stage.answer = ({ channel }) =>
      channel === 'private-late'
        ? new Promise((resolve) => {
            release = () => resolve({ status: 200, body: 'true' });
          })
        : null;
  }
  const auth = { headers: { Authorization: 'Bearer 7:grace' } };
  const offsetOf = ({ socket }: WireClient) => (socket as unknown as { _lastOffset: string })._lastOffset;

  async function subscribed(): Promise<WireClient> {
    const client = await stage.wire();
    await client.subscribe('soon');
    await client.subscribe('private-late', auth);
    client.drain();
    return client;
  }
  const numbers = (client: WireClient) =>
    client.drain().flatMap(({ event, args }) => (event === 'counted' ? [`${args[0]}:${args[1].n}`] : []));

  it('is given what it missed by itself; until then the client is sent no newer position', async () => {
    const client = await subscribed();
    await stage.away(client, async () => {
      for (const n of upTo(3)) {
        await stage.publish('soon', n);
        await stage.publish('private-late', n);
      }
    });
    const offset = offsetOf(client);
    expect(await client.subscribe('soon')).toMatchObject({ recovered: true, replayed: 3 });
    expect(offsetOf(client)).not.toBe(offset);
    client.drain();
    hold();
    client.emit('subscribe', { channel: 'private-late', auth });
    expect((await client.next('subscription_position')).all).toEqual(['private-late', {}, offset]);
    expect(offsetOf(client)).toBe(offset);

    await stage.publish('soon', 4);
    expect((await client.next('counted')).all).toEqual(['soon', { n: 4 }]);
    expect(offsetOf(client)).toBe(offset);
    release();
    for (const n of upTo(3))
      expect((await client.next('counted')).all).toEqual(['private-late', { n }, POSITION]);
    const { all } = await client.next('subscription_succeeded');
    expect(all).toEqual(['private-late', { recovered: true, replayed: 3 }, POSITION]);
    await stage.publish('soon', 5);
    expect((await client.next('counted')).all).toEqual(['soon', { n: 5 }, POSITION]);
  });

  it('loses nothing where a second cut falls into its authorisation', async () => {
    const client = await subscribed();
    await stage.away(client, async () => {
      await stage.publish('private-late', 1);
      await stage.publish('soon', 1);
    });
    await client.subscribe('soon');
    hold();
    client.emit('subscribe', { channel: 'private-late', auth });
    await client.next('subscription_position');
    await stage.publish('soon', 2);
    await client.next(({ args }) => args[1]?.n === 2);
    client.drain();
    await stage.away(client, () => stage.publish('private-late', 2));
    stage.answer = null;
    client.emit('subscribe', { channel: 'soon' });
    expect(await client.subscribe('private-late', auth)).toMatchObject({ recovered: true, replayed: 2 });
    expect(numbers(client)).toEqual(expect.arrayContaining(['private-late:1', 'private-late:2']));
  });

  it('keeps the others waiting for five seconds at most, where Laravel is slow', async () => {
    const client = await subscribed();
    hold();
    await stage.away(client, async () => {
      await stage.publish('soon', 1);
      await stage.publish('private-late', 1);
    });
    client.emit('subscribe', { channel: 'private-late', auth });
    const soon = client.subscribe('soon');
    expect(await soon).toMatchObject({ recovered: true, replayed: 1 });
    await stage.publish('soon', 2);
    expect((await client.next(({ args }) => args[1]?.n === 2)).all).toEqual(['soon', { n: 2 }]);
    release();
    expect((await client.next(({ args }) => args[0] === 'private-late')).all).toEqual([
      'private-late',
      { n: 1 },
      POSITION,
    ]);
  });

  it('that is refused holds nothing back any more', async () => {
    const client = await subscribed();
    await stage.away(client, async () => stage.publish('soon', 1));
    await client.subscribe('soon');
    expect(await client.subscribe('private-forbidden', auth)).toMatchObject({ ok: false });
    client.drain();
    // Until the page has answered that nothing else is on its way, none bears a position.
    let n = 1;
    const isBorne = async () => {
      await stage.publish('soon', ++n);
      return (await client.next('counted')).position !== undefined;
    };
    await until(isBorne, 'an event bears its position');
  });

  it('that is overtaken by an unsubscribe leaves nothing behind', async () => {
    const client = await subscribed();
    await stage.away(client, () => stage.publish('private-late', 1));
    hold();
    client.emit('subscribe', { channel: 'private-late', auth });
    const late = client.subscribe('soon');
    const asked = stage.auth.questions.length;
    await until(() => stage.auth.questions.length > asked, 'Laravel is asked');
    expect(await client.unsubscribe('private-late')).toEqual({ ok: true });
    release();
    expect(await late).toMatchObject({ ok: true, recovered: true, replayed: 0 });
    expect(numbers(client)).toEqual([]);
  });
});

describe.each(PLACES)(
  '%s: a channel that a page leaves and joins in one tick, as React hooks do',
  (place) => {
    let stage: RecoveryStage;
    beforeAll(async () => {
      stage = await RecoveryStage.start({}, place);
    });
    afterEach(() => stage.clear());
    afterAll(() => stage?.stop());

    it('neither loses nor doubles, while much is published', async () => {
      const page = await stage.page();
      const heard = numbersOf(page, 'hook', 'private');
      const other = numbersOf(page, 'other');
      await Promise.all([page.settled('private-hook'), page.settled('other')]);
      let published = 0;
      const rejoin = () => {
        page.echo.leave('hook');
        page.private('hook').channel.listen('counted', (payload) => heard.push((payload as { n: number }).n));
      };
      for (let round = 0; round < 20; round++) {
        rejoin();
        // While Laravel is asked, and after.
        for (let i = 0; i < 20; i++) {
          await stage.publish('private-hook', ++published);
          await stage.publish('other', published);
          await new Promise(setImmediate);
        }
        if (round % 3 === 0) await page.settled('private-hook');
      }
      await until(() => heard.at(-1) === published && other.at(-1) === published, 'all is heard');
      expect(heard).toEqual(upTo(published));
      expect(other).toEqual(upTo(published));
    });

    it('is one that was left where the client asked for an answer: nothing in between is given', async () => {
      const client = await stage.wire();
      await client.subscribe('a');
      await client.unsubscribe('a');
      await stage.publish('a', 1);
      await stage.spread();
      expect(await client.subscribe('a')).not.toHaveProperty('recovered');
      await stage.publish('a', 2);
      expect((await client.next('counted')).all).toMatchObject(['a', { n: 2 }, POSITION]);
    });

    it('is joined anew where the page comes back to it later', async () => {
      const page = await stage.page();
      numbersOf(page, 'a');
      await page.settled('a');
      page.echo.leave('a');
      await until(() => stage.held('channels') === 0, 'it has left');
      await stage.publish('a', 1);
      await new Promise((resolve) => setTimeout(resolve, 2_200));
      const heard = numbersOf(page, 'a');
      expect(await page.settled('a')).toEqual({ ok: true, info: {} });
      await stage.publish('a', 2);
      await until(() => heard.length > 0, 'the next is heard');
      expect(heard).toEqual([2]);
    });
  },
);

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PLACES, RecoveryStage, upTo } from './recovery-stage.ts';

/** What a stranger may send as the place that it comes back from. */
describe.each(PLACES)('%s: an offset', (place) => {
  let stage: RecoveryStage;
  beforeAll(async () => {
    stage = await RecoveryStage.start({}, place);
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.stop());

  const GAP = ['news', { reason: 'unknown_position' }, expect.stringMatching(/^\d+-\d+$/)];

  it.each([
    ['a word', 'garbage'],
    ['in the future', `${Date.now() + 86_400_000}-1`],
    ['far in the future', '9007199254740991-9007199254740991'],
    ['with numbers that are too large', '99999999999999999999-1'],
    ['negative', '-1-1'],
    ['a megabyte', '9'.repeat(900_000)],
    ['a form of SQL', "1-1' OR '1'='1"],
    ['of control characters', '\u0000\u0001-\u0007'],
  ])('that is %s brings nothing, is told as a gap, and harms nobody', async (_name, offset) => {
    await stage.publish('news', 1);
    await stage.spread();
    const client = await stage.wire({ auth: { pid: 'x', offset } });
    client.emit('subscribe', { channel: 'news' });
    expect((await client.next('subscription_gap')).all).toEqual(GAP);
    expect((await client.next('subscription_succeeded')).all).toEqual([
      'news',
      { recovered: false, replayed: 0 },
      expect.stringMatching(/^\d+-\d+$/),
    ]);
    await stage.publish('news', 2);
    expect((await client.next('counted')).args).toMatchObject(['news', { n: 2 }]);
    // A node that has just begun tells everybody how far it is.
    expect(client.unread().filter(({ event }) => event !== 'subscription_position')).toEqual([]);
  });

  it.each([
    ['a number', 12],
    ['a list', ['1-1']],
    ['an object', { toString: 'x' }],
    ['null', null],
    ['empty', ''],
    ['true', true],
  ])('that is %s is none: the client is new', async (_name, offset) => {
    const client = await stage.wire({ auth: { pid: { a: 1 }, offset } });
    client.emit('subscribe', { channel: 'news' });
    expect((await client.next()).all).toEqual(['news', {}, expect.any(String)]);
  });

  it('of another server, or before the history, is told as trimmed, and what is left is given', async () => {
    await stage.publish('old', 1);
    await stage.spread();
    const client = await stage.wire({ auth: { pid: 'x', offset: '1-1' } });
    client.emit('subscribe', { channel: 'old' });
    expect((await client.next()).args).toMatchObject(['old', { reason: 'history_trimmed' }]);
    expect((await client.next()).args).toMatchObject(['old', { n: 1 }]);
    expect((await client.next()).args).toMatchObject(['old', { recovered: false, replayed: 1 }]);
  });

  it('opens no channel: each is authorised as without it', async () => {
    await stage.publish('private-secret', 1);
    await stage.spread();
    const client = await stage.wire({ auth: { pid: 'x', offset: '1-1' } });
    expect(await client.subscribe('private-secret')).toMatchObject({ ok: false, code: 'forbidden' });
    expect(client.drain().map(({ event }) => event)).toEqual(['subscription_error']);
  });

  it.each([
    ['a megabyte', 'x'.repeat(900_000)],
    ['many ids', Array.from({ length: 1000 }, (_, i) => `${i}.${i}`).join('_')],
    ['ids too long', `${'1'.repeat(40)}.${'2'.repeat(40)}`],
    ['a list', ['1.1']],
  ])('with a pid that is %s changes nothing', async (_name, pid) => {
    const client = await stage.wire({ auth: { pid, offset: 'x' } });
    const own = (client.socket as unknown as { _pid: string })._pid;
    expect(own.startsWith(client.id)).toBe(true);
    expect(own.length).toBeLessThan(130);
  });

  it('is logged where it brings a gap, few times, and never as the stranger wrote it', async () => {
    const strangers = 60;
    await Promise.all(
      upTo(strangers).map(async () => {
        const client = await stage.wire({ auth: { pid: 'x', offset: 'written-by-a-stranger' } });
        client.emit('subscribe', { channel: 'news' });
        await client.next('subscription_succeeded');
      }),
    );
    const lines = stage.log.filter(({ message }) => message.includes('a client came back'));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThan(strangers);
    expect(JSON.stringify(stage.log)).not.toContain('written-by-a-stranger');
    expect(await stage.metric('yamabiko_recoveries_total', { outcome: 'gap' })).toBeGreaterThanOrEqual(
      strangers,
    );
  });
});

describe.each(PLACES)('%s: a page that was away for longer than the history', (place) => {
  let stage: RecoveryStage;
  beforeAll(async () => {
    stage = await RecoveryStage.start({ YAMABIKO_HISTORY_MS: '1000' }, place);
  });
  afterAll(async () => {
    await stage?.clear();
    await stage?.stop();
  });

  it('is told so at the place, and given what is left', async () => {
    const page = await stage.page();
    page.channel('a', 'counted');
    await page.settled('a');
    await stage.away(page, async () => {
      page.socket.disconnect();
      await stage.publish('a', 1);
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      await stage.publish('a', 2);
      page.drain();
      page.socket.connect();
    });
    // Echo subscribes again only where the client came back by itself.
    page.socket.emit('subscribe', { channel: 'a' });
    expect((await page.next()).args).toMatchObject(['a', { reason: 'history_trimmed' }]);
    expect((await page.next()).args).toMatchObject(['a', { n: 2 }]);
    expect((await page.next()).args).toMatchObject(['a', { recovered: false, replayed: 1 }]);
    // By Redis the nodes have said something to each other, too.
    const broadcasts = place === 'in memory' ? 2 : expect.any(Number);
    expect(stage.log).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        fields: expect.objectContaining({ channel: 'a', reasons: ['history_trimmed'], broadcasts }),
      }),
    );
  });

  it('is told nothing of the kind where nothing happened on its channels, though much did on others', async () => {
    const page = await stage.page();
    page.channel('quiet');
    await page.settled('quiet');
    const endsAtMs = Date.now() + 3_000;
    for (let n = 0; Date.now() < endsAtMs; n++) {
      await stage.publish('busy', n);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await stage.away(page, () => stage.publish('quiet', 1));
    expect(await page.settled('quiet')).toEqual({ ok: true, info: { recovered: true, replayed: 1 } });
    expect(page.drain().filter(({ event }) => event === 'subscription_gap')).toEqual([]);
  });
});

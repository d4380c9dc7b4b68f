import { afterEach, describe, expect, it } from 'vitest';
import { RecoveryStage } from './recovery-stage.ts';

/**
 * An unmodified page has one position for all its channels. One that is refused for now is carried past what it
 * missed by the others, so it must be told.
 */
describe('a page that comes back to where a limit refuses one of its channels', () => {
  let stage: RecoveryStage;
  afterEach(async () => {
    await stage?.clear();
    await stage?.stop();
  });

  const missed = async () => {
    await stage.publish('kept', 1);
    await stage.publish('presence-full', 1);
  };

  it('since its room is full meanwhile is told a gap there, is not ended, and goes on with the others', async () => {
    stage = await RecoveryStage.start({ YAMABIKO_MAX_MEMBERS: '1' });
    const page = await stage.page();
    const gaps: unknown[] = [];
    page.socket.on('subscription_gap', (...args: unknown[]) => void gaps.push(args));
    page.channel('kept', 'counted');
    page.echo.join('full');
    expect(await page.settled('presence-full')).toMatchObject({ ok: true });
    await page.settled('kept');
    await stage.away(page, async () => {
      await missed();
      const other = await stage.page({ authHeaders: { Authorization: 'Bearer 8:ada' } });
      other.echo.join('full');
      expect(await other.settled('presence-full')).toMatchObject({ ok: true });
    });
    expect(await page.settled('presence-full')).toMatchObject({ ok: false, status: 429 });
    expect(await page.settled('kept')).toMatchObject({ info: { recovered: true, replayed: 1 } });
    expect(gaps).toEqual([['presence-full', { reason: 'limit_reached' }]]);
    expect(page.socket.connected).toBe(true);
  });

  it('since it may hold no more of them is told a gap on that one', async () => {
    stage = await RecoveryStage.start({ YAMABIKO_MAX_SUBSCRIPTIONS: '2' });
    const first = await stage.wire({ auth: { pid: 'x', offset: '1-1' } });
    expect(await first.subscribe('kept')).toMatchObject({ ok: true });
    expect(await first.subscribe('more')).toMatchObject({ ok: true });
    first.drain();
    expect(await first.subscribe('too-many')).toMatchObject({ ok: false, code: 'limit_reached' });
    expect((await first.next('subscription_gap')).all).toEqual(['too-many', { reason: 'limit_reached' }]);
  });
});

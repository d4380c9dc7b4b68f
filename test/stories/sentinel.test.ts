import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RedisSentinel } from '../support/redis-sentinel.ts';
import { FAILOVER, MastersStage, tellFailover } from './masters-stage.ts';

describe('On Redis with Sentinel', () => {
  let redis: RedisSentinel;
  beforeAll(async () => {
    redis = await RedisSentinel.start();
  });
  afterAll(() => redis?.stop());
  // Whoever fails next has two replicas again.
  afterEach(() => redis.revive(), 60_000);

  const open = () =>
    MastersStage.open({
      url: redis.url,
      // As Laravel, which asks the Sentinels.
      publish: (name, payload) => redis.master().publish(name, payload),
    });

  it(
    'the master dies under traffic: its replica takes over, and nobody is seen to leave',
    FAILOVER,
    async () => {
      const stage = await open();
      await tellFailover(stage, async () => {
        const old = await redis.named();
        await old.kill();
        await stage.ready(503);
        await redis.promoted(old);
      });
      expect(stage.gapReasons()).toEqual([['log_restarted'], ['log_restarted']]);
      await stage.end();
    },
  );

  it('the master freezes under traffic and comes back as a replica', FAILOVER, async () => {
    const stage = await open();
    await tellFailover(stage, async () => {
      const old = await redis.named();
      old.pause();
      await stage.ready(503);
      await redis.promoted(old);
      old.resume();
      await redis.settled();
    });
    await stage.end();
  });

  it('operators change the master under traffic', FAILOVER, async () => {
    const stage = await open();
    await tellFailover(stage, () => redis.failover());
    await stage.end();
  });

  it('a Sentinel dies, and nothing is noticed', FAILOVER, async () => {
    const stage = await open();
    await stage.enterByFewDoors();
    await redis.sentinels[0]?.kill();
    await stage.flows();
    expect(stage.gapReasons()).toEqual([[], []]);
    await stage.end();
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { RedisServer } from '../support/redis-server.ts';
import { Ear, type EarOptions } from '../support/replication-ear.ts';
import { until } from '../support/yamabiko.ts';

const AT_ONCE = ['--repl-diskless-sync-delay', '0'];
const LONG = { timeout: 60_000 };
const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i));

describe('The replication stream through outages', () => {
  const ended: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0).reverse()) await end();
  });

  async function redisWith(...args: string[]): Promise<RedisServer> {
    const redis = await RedisServer.start([...AT_ONCE, ...args]);
    ended.push(() => redis.stop());
    return redis;
  }

  function earOf({ url }: { url: string }, options: Partial<EarOptions> = {}): Ear {
    const ear = new Ear({ url, ...options });
    ended.push(() => ear.reader.stop());
    return ear;
  }

  async function listening(redis: RedisServer, options: Partial<EarOptions> = {}): Promise<Ear> {
    const ear = earOf(redis, options);
    ear.reader.start(null);
    await ear.syncedTimes(1);
    return ear;
  }

  it('misses nothing when all its connections are killed again and again', LONG, async () => {
    const redis = await redisWith();
    const [one, two] = [await listening(redis), await listening(redis)];
    const [count, kills] = [2000, 10];
    for (let i = 0; i < count; i++) {
      // Some at once and some one by one, so that the packets differ.
      if (i % 10 === 0) await redis.publish('x', String(i));
      else void redis.publish('x', String(i));
      const [round, at] = [Math.floor(i / (count / kills)), i % (count / kills)];
      if (at === 50) await redis.client.call('CLIENT', 'KILL', 'TYPE', 'replica');
      if (at === 150) for (const ear of [one, two]) await ear.syncedTimes(round + 2);
    }
    for (const ear of [one, two]) {
      await ear.heard(String(count - 1));
      expect(ear.payloads).toEqual(numbered(0, count));
      expect(ear.lost).toHaveLength(kills);
      expect(ear.synced.slice(1).every(({ continued }) => continued)).toBe(true);
    }
    expect(one.told).toEqual(two.told);
  });

  it('misses nothing that is published while nobody listens', async () => {
    const redis = await redisWith();
    const first = await listening(redis);
    await redis.publish('x', '0');
    await first.heard('0');
    const { offset } = first.told[0]!;
    first.reader.stop();
    for (const text of numbered(1, 200)) await redis.publish('x', text);
    const next = earOf(redis);
    next.reader.start({ replid: first.synced[0]!.replid, offset });
    await next.heard('199');
    expect(next.story).toEqual(['goes on', ...numbered(1, 200)]);
  });

  it('says so where more was written meanwhile than Redis keeps, and begins now without a synchronisation', async () => {
    const redis = await redisWith('--repl-backlog-size', '20kb');
    const ear = await listening(redis);
    await redis.publish('x', 'before');
    await ear.heard('before');
    ear.reader.stop();
    for (let i = 0; i < 20; i++) await redis.client.set('key', 'x'.repeat(50_000));
    await redis.publish('x', 'lost');
    ear.reader.start(ear.reader.place);
    expect(await ear.syncedTimes(2)).toMatchObject({ continued: false });
    await redis.publish('x', 'after');
    await ear.heard('after');
    expect(ear.story).toEqual(['begins', 'before', 'begins', 'after']);
    expect(await redis.client.info('stats')).toContain('sync_full:1\r\n');
  });

  it(
    'says so where Redis threw away what it keeps, an hour after the last replica as shipped',
    LONG,
    async () => {
      const redis = await redisWith('--repl-backlog-ttl', '1');
      const ear = await listening(redis);
      await redis.publish('x', 'before');
      await ear.heard('before');
      ear.reader.stop();
      const kept = async () => (await redis.client.info('replication')).includes('repl_backlog_active:1');
      await until(async () => !(await kept()), 'it is thrown away', 30_000);
      ear.reader.start(ear.reader.place);
      expect(await ear.syncedTimes(2)).toMatchObject({ continued: false });
      expect(ear.synced[1]?.replid).not.toBe(ear.synced[0]?.replid);
      await redis.publish('x', 'after');
      await ear.heard('after');
    },
  );

  it('says so where Redis comes back empty', async () => {
    const redis = await redisWith();
    const ear = await listening(redis);
    await redis.publish('x', 'before');
    await ear.heard('before');
    await redis.kill();
    await until(() => ear.failed.length > 0, 'it tries to come back');
    await redis.restart();
    expect(await ear.syncedTimes(2)).toMatchObject({ continued: false });
    await redis.publish('x', 'after');
    await ear.heard('after');
    expect(ear.story).toEqual(['begins', 'before', 'lost', 'begins', 'after']);
  });

  it('waits for a Redis that is not there yet', async () => {
    const redis = await RedisServer.absent(AT_ONCE);
    ended.push(() => redis.stop());
    const ear = earOf(redis);
    ear.reader.start(null);
    await until(() => ear.failed.length > 0, 'an attempt has failed');
    await redis.restart();
    await ear.syncedTimes(1);
    await redis.publish('x', 'hello');
    await ear.heard('hello');
  });

  it('leaves a Redis that stands still, and misses nothing when it moves again', LONG, async () => {
    const redis = await redisWith('--repl-ping-replica-period', '1');
    const ear = await listening(redis, { silenceMs: 3000 });
    await redis.publish('x', 'before');
    await ear.heard('before');
    redis.pause();
    await until(() => ear.lost.length > 0, 'it is left', 30_000);
    expect(ear.lost[0]).toContain('Redis said nothing');
    redis.resume();
    await ear.syncedTimes(2);
    await redis.publish('x', 'after');
    await ear.heard('after');
    expect(ear.story).toEqual(['begins', 'before', 'lost', 'goes on', 'after']);
  });

  it('is not taken for dead while nobody writes, because it pings', LONG, async () => {
    const redis = await redisWith('--repl-ping-replica-period', '1');
    const ear = await listening(redis, { silenceMs: 3000 });
    const quietSince = ear.reader.place!.offset;
    // Each ping is 14 bytes, and one comes each second.
    await until(() => ear.reader.place!.offset >= quietSince + 6 * 14, 'six pings came', 30_000);
    expect(ear.lost).toEqual([]);
  });

  it('goes on at a replica that was made master, and says so where the old one had more', LONG, async () => {
    const [old, next] = [await redisWith(), await redisWith()];
    await next.client.replicaof('127.0.0.1', old.port);
    await until(
      async () => (await next.client.info('replication')).includes('master_link_status:up'),
      'it follows',
    );
    const ear = await listening(old);
    await old.publish('x', 'at both');
    await ear.heard('at both');
    const shared = { replid: ear.synced[0]!.replid, offset: ear.told[0]!.offset };
    await until(
      async () =>
        Number(/slave_repl_offset:(\d+)/.exec(await next.client.info('replication'))?.[1]) >= shared.offset,
      'it has followed',
    );
    await next.client.replicaof('NO', 'ONE');
    await old.publish('x', 'at the old one alone');
    await ear.heard('at the old one alone');
    const [behind, ahead] = [earOf(next), earOf(next)];
    behind.reader.start(shared);
    ahead.reader.start(ear.reader.place);
    expect(await behind.syncedTimes(1)).toMatchObject({ continued: true, offset: shared.offset });
    expect(await ahead.syncedTimes(1)).toMatchObject({ continued: false });
    expect(behind.synced[0]?.replid).not.toBe(shared.replid);
    await next.publish('x', 'at the new one');
    for (const each of [behind, ahead]) {
      await each.heard('at the new one');
      expect(each.payloads).toEqual(['at the new one']);
    }
    expect(behind.told).toEqual(ahead.told);
  });
});

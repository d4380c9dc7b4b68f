import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RedisSentinel } from '../support/redis-sentinel.ts';
import type { RedisServer } from '../support/redis-server.ts';
import { Ear } from '../support/replication-ear.ts';
import { until } from '../support/yamabiko.ts';

const SLOW = { timeout: 90_000 };
const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i));

describe('The replication stream of the master that Sentinel names', () => {
  let redis: RedisSentinel;
  const ears: Ear[] = [];
  beforeAll(async () => {
    redis = await RedisSentinel.start();
  });
  afterEach(() => {
    for (const { reader } of ears.splice(0)) reader.stop();
  });
  afterAll(() => redis?.stop());

  async function listening(): Promise<Ear> {
    // Sentinels publish too, at every Redis of theirs.
    const ear = new Ear({ url: redis.url, wants: (name) => name === 'x' });
    ears.push(ear);
    ear.reader.start(null);
    await ear.syncedTimes(1);
    return ear;
  }

  async function publishAll(at: RedisServer, texts: readonly string[]): Promise<void> {
    for (const text of texts) await at.publish('x', text);
  }

  /** Which replicas a Sentinel knows, when it has asked the master once more. */
  async function knownReplicas(): Promise<string[]> {
    const { client } = redis.sentinels[0] as RedisServer;
    const since = Date.now();
    await until(
      async () => {
        const master = (await client.call('SENTINEL', 'MASTER', 'main')) as string[];
        return Date.now() - Number(master[master.indexOf('info-refresh') + 1]) > since;
      },
      'the master was asked again',
      30_000,
    );
    const replicas = (await client.call('SENTINEL', 'REPLICAS', 'main')) as string[][];
    return replicas.map((fields) => String(fields[1]));
  }

  it(
    'does not make its readers known to Sentinel, which has nothing to watch or promote there',
    SLOW,
    async () => {
      await Promise.all([listening(), listening()]);
      const master = await redis.named();
      expect(await master.client.info('replication')).toContain('connected_slaves:4\r\n');
      const ports = redis.servers
        .filter((server) => server !== master)
        .map(({ port }) => `127.0.0.1:${port}`);
      expect((await knownReplicas()).sort()).toEqual(ports.sort());
    },
  );

  it('goes on at the replica that is promoted when the master dies, with nothing missing', SLOW, async () => {
    const [one, two] = [await listening(), await listening()];
    const old = await redis.named();
    await publishAll(old, numbered(0, 100));
    // What no replica got when a master dies is lost for good, whoever listens.
    await old.client.wait(2, 5000);
    await old.kill();
    const master = await redis.promoted(old);
    for (const ear of [one, two]) await ear.syncedTimes(2);
    await publishAll(master, numbered(100, 200));
    for (const ear of [one, two]) {
      await ear.heard('199');
      expect(ear.payloads).toEqual(numbered(0, 200));
      expect(ear.synced[1]).toMatchObject({ continued: true });
      expect(ear.synced[1]?.replid).not.toBe(ear.synced[0]?.replid);
    }
    expect(one.told).toEqual(two.told);
    await old.restart();
    await redis.settled();
  });

  it('goes on at the new master when operators change it, where the old one lives on', SLOW, async () => {
    const ear = await listening();
    const old = await redis.named();
    await publishAll(old, numbered(0, 20));
    await ear.heard('19');
    const master = await redis.failover();
    await publishAll(master, numbered(20, 40));
    // Sooner or later the old one follows the new one, and cuts those who read from it.
    await ear.heard('39');
    expect(ear.payloads).toEqual(numbered(0, 40));
    expect(ear.synced.every(({ continued }, i) => i === 0 || continued)).toBe(true);
    await redis.settled();
  });

  it('goes at once where somebody tells it that the master changed', SLOW, async () => {
    const ear = await listening();
    const old = await redis.named();
    await publishAll(old, numbered(0, 20));
    const master = await redis.failover();
    ear.reader.reconnect('the master is elsewhere');
    await ear.syncedTimes(2);
    await publishAll(master, numbered(20, 40));
    await ear.heard('39');
    expect(ear.payloads).toEqual(numbered(0, 40));
    expect(ear.lost[0]).toBe('the master is elsewhere');
    await redis.settled();
  });
});

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { homeKey } from '../../server/broker/redis/redis-locate.ts';
import { type ClusterNode, RedisCluster } from '../support/redis-cluster.ts';
import { FAILOVER, MastersStage, tellFailover } from './masters-stage.ts';
import { isText } from './outage-stage.ts';

const run = promisify(execFile);
/** As Laravel's connection does with `clusters` in config/database.php. */
const PUBLISH_ALL = `
  [, $seeds, $channel] = $argv;
  $redis = new RedisCluster(null, json_decode($seeds));
  foreach (array_slice($argv, 3) as $payload) $redis->publish($channel, $payload);
`;

describe('On Redis Cluster', () => {
  let redis: RedisCluster;
  beforeAll(async () => {
    redis = await RedisCluster.start();
  });
  afterAll(() => redis?.stop());
  afterEach(async () => {
    await redis.revive();
  }, 60_000);

  /** Laravel publishes each time at another node, of those that live. */
  let publishes = 0;
  const open = () =>
    MastersStage.open({
      url: redis.url,
      publish: async (name, payload) => {
        const living = redis.nodes.filter(({ server }) => server.answers);
        await living[++publishes % living.length]?.server.publish(name, payload);
      },
    });

  const homeOf = (stage: MastersStage) => redis.masterOf(homeKey(stage.prefix));
  async function anotherThan(home: ClusterNode): Promise<ClusterNode> {
    const other = (await redis.masters()).find(({ id }) => id !== home.id);
    if (other === undefined) throw new Error('there is one master only');
    return other;
  }

  it('the master dies that all nodes hear: clients stay, and nobody is seen to leave', FAILOVER, async () => {
    const stage = await open();
    await tellFailover(stage, async () => {
      await (await homeOf(stage)).server.kill();
      await stage.ready(503);
      await redis.healed();
    });
    await stage.end();
  });

  it('another master dies, which holds some rooms', FAILOVER, async () => {
    const stage = await open();
    await tellFailover(stage, async () => {
      await (await anotherThan(await homeOf(stage))).server.kill();
      await stage.ready(503);
      await redis.healed();
    });
    for (const reasons of stage.gapReasons()) expect(reasons).toEqual(['master_replaced']);
    await stage.end();
  });

  it('the slot moves at which all nodes hear', FAILOVER, async () => {
    const stage = await open();
    await tellFailover(stage, async () => {
      await redis.moveSlotOf(homeKey(stage.prefix));
    });
    for (const reasons of stage.gapReasons()) expect(reasons).toEqual(['log_restarted']);
    await stage.end();
  });

  it(
    'all nodes count the members and connections of all, also one that came after a slot moved',
    FAILOVER,
    async () => {
      const stage = await open();
      await stage.enterByFewDoors();
      // By JWT the connector and the raw client are on the wire name X; of Echo's own there is one on each node.
      const all = { user_count: 6, subscription_count: 2 };
      await expect.poll(() => stage.counts()).toEqual([all, all]);
      await redis.moveSlotOf(homeKey(stage.prefix));
      await expect.poll(() => stage.gapReasons().flat().length, { timeout: 20_000 }).toBe(2);
      // At the new master from the start: those who stayed at the old one would not be asked by it.
      await stage.startNode();
      await expect.poll(() => stage.counts(), { timeout: 20_000 }).toEqual([all, all, all]);
      await stage.end();
    },
  );

  it("Laravel's phpredis publishes where it likes, and is heard, once", FAILOVER, async () => {
    const stage = await open();
    await stage.enterByFewDoors();
    const seeds = redis.nodes.map(({ server }) => `127.0.0.1:${server.port}`);
    const texts = Array.from({ length: 30 }, (_, i) => `from PHP ${i}`);
    const payloads = texts.map((message) =>
      JSON.stringify({ channel: stage.room, data: { message, name: 'Laravel' } }),
    );
    await run('php', ['-r', PUBLISH_ALL, JSON.stringify(seeds), `${stage.prefix}broadcast`, ...payloads]);
    for (const { heard } of stage.visitors) for (const text of texts) await heard.next(isText(text), text);
    expect(stage.unread().messages.flat()).toEqual([]);
    await stage.end();
  });
});

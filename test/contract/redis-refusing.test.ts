import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { UnavailableError } from '../../server/domain/outcome.ts';
import { RedisServer } from '../support/redis-server.ts';
import { until } from './heard.ts';
import type { RedisNode } from './redis-node.ts';
import { restoringNode } from './restoring-node.ts';
import { seat, users } from './roster-behaviour.ts';

const MANY_BYTES = '100mb';

/** What was written: Redis takes every PUBLISH meanwhile, so that a probe alone would find nothing wrong. */
describe('A Redis that takes no writes', () => {
  const ended: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0).reverse()) await end();
  });

  async function server(): Promise<RedisServer> {
    const redis = await RedisServer.start();
    ended.push(() => redis.stop());
    return redis;
  }

  async function nodeOn(redis: RedisServer): Promise<RedisNode> {
    const node = restoringNode({ url: redis.url, prefix: `${randomUUID()}:` });
    ended.push(() => node.stop());
    await node.start();
    await node.bus.follow('room');
    await node.roster.enter('room', seat('a', 1));
    return node;
  }

  async function refuses(node: RedisNode): Promise<void> {
    await until(() => !node.bus.ready(), 'not ready');
    await expect(node.bus.publish('room', 'x')).rejects.toThrow(UnavailableError);
    await expect(node.roster.enter('room', seat('b', 2))).rejects.toThrow(UnavailableError);
    await node.roster.leave('room', 'b');
  }

  async function worksAgain(node: RedisNode): Promise<void> {
    await until(() => node.bus.ready(), 'ready again');
    await until(async () => users(await node.roster.members('room')).join() === '1', 'the member is there');
    expect(users(await node.roster.enter('room', seat('c', 3)))).toEqual(['1', '3']);
    await node.bus.publish('room', 'after');
    await until(() => node.heard.on('room').includes('after'), 'heard');
  }

  it.each([
    ['is out of memory', ['maxmemory', '1'], ['maxmemory', MANY_BYTES]],
    ['misses the replicas that it needs', ['min-replicas-to-write', '1'], ['min-replicas-to-write', '0']],
  ])('because it %s is not ready, says why once, and recovers without a gap', async (_why, bad, good) => {
    const redis = await server();
    const node = await nodeOn(redis);
    await redis.client.config('SET', ...(bad as [string, string]));
    await refuses(node);
    const told = () => node.log.lines.filter(({ message }) => message.includes('takes no writes'));
    expect(told()).toHaveLength(1);
    await redis.client.config('SET', ...(good as [string, string]));
    await worksAgain(node);
    expect(told()).toHaveLength(1);
    expect(node.heard.gaps).toEqual([]);
  });

  it('because it was made a replica is left for whoever has its address then, with one gap', async () => {
    const [redis, master] = [await server(), await server()];
    const node = await nodeOn(redis);
    await redis.client.replicaof('127.0.0.1', master.port);
    await refuses(node);
    // It connects anew meanwhile, again and again.
    const counted = async () =>
      Number(/total_connections_received:(\d+)/.exec(await redis.client.info('stats'))?.[1]);
    const before = await counted();
    await until(async () => (await counted()) > before + 4, 'connected anew');
    await redis.client.replicaof('NO', 'ONE');
    await worksAgain(node);
    expect(node.heard.gaps).toEqual(['master_changed']);
  });
});

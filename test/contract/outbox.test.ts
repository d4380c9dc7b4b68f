import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { MemoryOutbox } from '../../server/broker/outbox/memory-outbox.ts';
import { laneOf, type OutboxBounds } from '../../server/broker/outbox/outbox.ts';
import { RedisOutbox } from '../../server/broker/outbox/redis-outbox.ts';
import { RedisConnections } from '../../server/broker/redis/redis-connections.ts';
import { RedisServer } from '../support/redis-server.ts';
import { until } from '../support/yamabiko.ts';
import { outboxBehaviour } from './outbox-behaviour.ts';

const silent = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} };
let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());

let count = 0;
async function openRedis(bounds: OutboxBounds, nodeId = 'a', prefix = `outbox${++count}:`, leaseMs = 60_000) {
  const settings = { url: redis.url, prefix, broadcastPrefix: prefix, commandTimeoutMs: 15_000 };
  const connections = new RedisConnections({ settings, log: silent });
  await connections.open();
  onTestFinished(() => connections.close());
  return new RedisOutbox({ connections, bounds, nodeId, leaseMs, log: silent });
}

describe('an outbox in memory', () =>
  outboxBehaviour({ name: 'memory', open: async (b) => new MemoryOutbox(b) }));
describe('an outbox in Redis', () => {
  outboxBehaviour({ name: 'Redis', open: (bounds) => openRedis(bounds) });

  const BOUNDS = { maxEntries: 1_000, maxBytes: 1_000_000, maxBuried: 10 };
  const LANE = laneOf('chat:1');

  it('gives a lane to one node, to another when that one lets go or is silent', async () => {
    const a = await openRedis(BOUNDS, 'a', 'lease:', 60_000);
    const b = await openRedis(BOUNDS, 'b', 'lease:', 200);
    await a.tell({ order: 'chat:1', json: '{}' });
    expect((await a.take(LANE, 1))?.entries).toHaveLength(1);
    expect(await b.take(LANE, 1)).toBeNull();
    expect(await b.hold(LANE)).toBe(false);
    await b.release(LANE);
    expect(await a.hold(LANE)).toBe(true);
    await a.release(LANE);
    expect((await b.take(LANE, 1))?.entries).toHaveLength(1);
    await until(async () => (await a.take(LANE, 1)) !== null, 'its lease has ended');
    expect(await b.take(LANE, 1)).toBeNull();
  });

  it('keeps what no node wrote from whoever reads, apart', async () => {
    const outbox = await openRedis(BOUNDS, 'a', 'foreign:');
    await redis.client.xadd(outbox.keysOf(LANE)[0], '*', 'x', 'y');
    await outbox.tell({ order: 'chat:1', json: '{"n":1}' });
    expect((await outbox.take(LANE, 5))?.entries.map(({ json }) => json)).toEqual(['{"n":1}']);
    expect(await outbox.look(5)).toMatchObject({ waiting: 1, buriedCount: 1 });
  });

  it('publishes and tells in one step, and publishes also where Redis takes no more', async () => {
    const small = await RedisServer.start(['--maxmemory', '3mb', '--maxmemory-policy', 'noeviction']);
    onTestFinished(() => small.stop());
    const telling = { order: 'chat:1', json: '{"n":1}' };
    const settings = { url: small.url, prefix: '', broadcastPrefix: '', commandTimeoutMs: 15_000 };
    const connections = new RedisConnections({ settings, log: silent });
    await connections.open();
    onTestFinished(() => connections.close());
    const refused: unknown[] = [];
    const full = new RedisOutbox({
      connections,
      bounds: BOUNDS,
      nodeId: 'a',
      leaseMs: 1_000,
      log: { ...silent, error: (fields: object) => refused.push(fields) },
    });
    expect(await full.publish(connections.command, 'x', 'hello', telling)).toBe(0);
    expect(await full.look(1)).toMatchObject({ waiting: 1 });
    await small.client.config('SET', 'maxmemory', '1');
    const subscriber = small.client.duplicate();
    onTestFinished(() => subscriber.disconnect());
    await subscriber.subscribe('x');
    expect(await full.publish(connections.command, 'x', 'hello', telling)).toBe(1);
    expect(refused).toHaveLength(1);
  });
});

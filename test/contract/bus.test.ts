import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { MemoryBus } from '../../server/broker/bus/memory-bus.ts';
import { RedisServer } from '../support/redis-server.ts';
import { describeBus } from './bus-behaviour.ts';
import { quietLog } from './heard.ts';
import { RedisNode } from './redis-node.ts';

const HISTORY = { historyMs: 120_000, historyEntries: 1000, historyBytes: 1_000_000 };

describeBus('The memory bus', async (heard) => {
  const bus = new MemoryBus({ log: quietLog(), bounds: HISTORY });
  bus.listen(heard);
  await bus.start();
  return { bus, stop: () => bus.stop() };
});

/** Nothing fails here, so a busy machine must not look like an outage. */
const PATIENT = { commandTimeoutMs: 15_000 };

let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());

describeBus('The Redis bus', async (heard) => {
  const node = new RedisNode({ ...PATIENT, url: redis.url, prefix: `${randomUUID()}:`, heard });
  await node.bus.start();
  return { bus: node.bus, stop: () => node.bus.stop() };
});

describeBus('The Redis bus with an empty prefix', async (heard) => {
  const node = new RedisNode({ ...PATIENT, url: redis.url, prefix: '', heard });
  await node.bus.start();
  return { bus: node.bus, stop: () => node.bus.stop() };
});

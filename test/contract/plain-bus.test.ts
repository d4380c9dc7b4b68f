import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bus } from '../../server/broker/bus/bus.ts';
import { MemoryBus } from '../../server/broker/bus/memory-bus.ts';
import { RedisServer } from '../support/redis-server.ts';
import { Heard, quietLog } from './heard.ts';
import { RedisNode } from './redis-node.ts';

describe('A bus without history', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis.stop());

  it('in memory goes live at once, and has no position', async () => {
    const bus = new MemoryBus({ log: quietLog(), bounds: null });
    await bus.start();
    await goesLiveAtOnce(bus);
    await bus.stop();
  });

  it('with Redis goes live at once, and has no position', async () => {
    const node = new RedisNode({ url: redis.url, prefix: `${randomUUID()}:`, heard: new Heard() });
    await node.bus.start();
    await goesLiveAtOnce(node.bus);
    await node.bus.stop();
  });
});

async function goesLiveAtOnce(bus: Bus): Promise<void> {
  const calls: unknown[] = [];
  const done = bus.resume({
    from: '1-1',
    channels: new Set(['chat:1']),
    signal: new AbortController().signal,
    page: async () => void calls.push('a page'),
    live: (items, end) => void calls.push([items, end]),
  });
  expect(calls).toEqual([[[], { complete: false, position: null }]]);
  await done;
  expect(bus.position()).toBeNull();
}

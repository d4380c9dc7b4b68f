import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { RedisServer } from '../support/redis-server.ts';
import { describeBus } from './bus-behaviour.ts';
import { LogNode } from './log-node.ts';

/** Nothing fails here, so a busy machine must not look like an outage. */
const PATIENT = { commandTimeoutMs: 15_000 };

let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());

describeBus('The log bus', async (heard) => {
  const node = new LogNode({ ...PATIENT, url: redis.url, prefix: `${randomUUID()}:`, heard });
  await node.start();
  return { bus: node.bus, stop: () => node.stop() };
});

describeBus('The log bus of the second node', async (heard) => {
  const prefix = `${randomUUID()}*:`;
  const first = await new LogNode({ ...PATIENT, url: redis.url, prefix }).start();
  const second = await new LogNode({ ...PATIENT, url: redis.url, prefix, heard }).start();
  const stop = async () => void (await Promise.all([first.stop(), second.stop()]));
  return { bus: second.bus, stop };
});

describeBus('The log bus with a custom channel outside of its prefix', async (heard) => {
  const prefix = `${randomUUID()}:`;
  const node = new LogNode({
    ...PATIENT,
    url: redis.url,
    prefix,
    broadcastPrefix: `other:${prefix}`,
    heard,
  });
  await node.start();
  return { bus: node.bus, stop: () => node.stop() };
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import type { HistoryBounds } from '../../server/broker/bus/history.ts';
import { RedisServer } from '../support/redis-server.ts';
import { describeHistory } from './history-behaviour.ts';
import { LogNode } from './log-node.ts';

let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());

async function nodes(count: number, bounds: HistoryBounds) {
  const prefix = `${randomUUID()}:`;
  const made: LogNode[] = [];
  for (let i = 0; i < count; i++)
    made.push(await new LogNode({ url: redis.url, prefix, bounds, commandTimeoutMs: 1500 }).start());
  return { nodes: made, stop: async () => void (await Promise.all(made.map((node) => node.stop()))) };
}

describeHistory('The log bus', (bounds) => nodes(1, bounds));
describeHistory('The log bus of two nodes', (bounds) => nodes(2, bounds));

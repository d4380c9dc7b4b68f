import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { MemoryBus } from '../../server/broker/bus/memory-bus.ts';
import { MemoryRoster } from '../../server/broker/roster/memory-roster.ts';
import { RedisServer } from '../support/redis-server.ts';
import { type Heard, quietLog } from './heard.ts';
import { RedisNode } from './redis-node.ts';
import { describeRoster } from './roster-behaviour.ts';
import { describeFull } from './roster-full-behaviour.ts';
import { describeGrace } from './roster-grace-behaviour.ts';

async function openMemory(heard: Heard, graceMs = 0, maxMembers = 0) {
  const log = quietLog();
  const bus = new MemoryBus({ log, bounds: null });
  bus.listen(heard);
  const roster = new MemoryRoster({ bus, log, graceMs, maxMembers });
  await bus.start();
  await roster.start();
  return { bus, roster, other: roster, stop: () => bus.stop() };
}

describeRoster('The memory roster', (heard) => openMemory(heard));
describeGrace('The memory roster', openMemory);
describeFull('The memory roster', openMemory);

/** Nothing fails here, so a busy machine must not look like an outage. */
const PATIENT = { commandTimeoutMs: 15_000 };

let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());

async function openTwo(prefix: string, heard: Heard, graceMs = 0, maxMembers = 0) {
  const bounds = { graceMs, maxMembers };
  const node = await new RedisNode({ ...PATIENT, url: redis.url, prefix, heard, ...bounds }).start();
  const second = await new RedisNode({ ...PATIENT, url: redis.url, prefix, ...bounds }).start();
  const stop = async () => {
    await node.stop();
    await second.stop();
  };
  return { bus: node.bus, roster: node.roster, other: second.roster, stop };
}

describeRoster('The Redis roster', (heard) => openTwo(`${randomUUID()}:`, heard));
describeRoster('The Redis roster with braces in its prefix', (heard) => openTwo(`{${randomUUID()}`, heard));
describeGrace('The Redis roster', (heard, graceMs) => openTwo(`${randomUUID()}:`, heard, graceMs));
describeFull('The Redis roster', (heard, ...bounds) => openTwo(`${randomUUID()}:`, heard, ...bounds));

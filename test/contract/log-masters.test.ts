import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisCluster } from '../support/redis-cluster.ts';
import { RedisSentinel } from '../support/redis-sentinel.ts';
import type { RedisServer } from '../support/redis-server.ts';
import { until as untilWithin } from '../support/yamabiko.ts';
import { describeBus } from './bus-behaviour.ts';
import { LogNode } from './log-node.ts';

/** A failover takes some seconds, on a busy machine some more. */
const SLOW = { timeout: 90_000 };
const until = (condition: () => boolean | Promise<boolean>, what: string) =>
  untilWithin(condition, what, 60_000);

let sentinel: RedisSentinel;
let cluster: RedisCluster;
beforeAll(async () => {
  [sentinel, cluster] = await Promise.all([RedisSentinel.start(), RedisCluster.start()]);
});
afterAll(() => Promise.all([sentinel?.stop(), cluster?.stop()]));

for (const [name, url] of [
  ['Sentinel', () => sentinel.url],
  ['a Cluster', () => cluster.url],
] as const) {
  describeBus(`The log bus on Redis with ${name}`, async (heard) => {
    const node = new LogNode({ commandTimeoutMs: 15_000, url: url(), prefix: `${randomUUID()}:`, heard });
    await node.start();
    return { bus: node.bus, stop: () => node.stop() };
  });
}

describe('The log of two nodes', () => {
  it('begins a new epoch at a failover of Sentinel, says so once, and goes on', SLOW, async () => {
    await survives(sentinel.url, async () => {
      const old = await sentinel.named();
      await old.kill();
      await sentinel.promoted(old);
    });
  });

  it('begins a new epoch where the master of a Cluster dies at which it lies', SLOW, async () => {
    await survives(cluster.url, async (prefix) => {
      const home = await homeOf(prefix);
      await home.kill();
      await cluster.healed();
    });
  });

  // Its calls are not counted by the master at which the nodes listen, so that nothing proved the hole empty by mistake.
  it('tells what another master of a Cluster published while nobody listened', SLOW, async () => {
    const prefix = `${randomUUID()}:`;
    const node = await join(cluster.url, prefix);
    const home = await homeOf(prefix);
    const other = (await cluster.masters()).find(({ server }) => server !== home)?.server;
    for (let round = 0; round < 6; round++) {
      const told = node.heard.gaps.length;
      await home.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await other?.client.publish(`${prefix}chat`, `hole ${round}`);
      await until(
        () => node.heard.gaps.length > told || node.heard.on('chat').includes(`hole ${round}`),
        'it is heard, or told as lost',
      );
    }
    await node.stop();
  });

  it('has one order of what is published at whichever master of a Cluster, each once', SLOW, async () => {
    const prefix = `${randomUUID()}:`;
    const nodes = [await join(cluster.url, prefix), await join(cluster.url, prefix)] as const;
    const masters = await cluster.masters();
    const sent = Array.from({ length: 90 }, (_, i) => String(i));
    await Promise.all(
      sent.map((text, i) => masters[i % masters.length]?.server.client.publish(`${prefix}chat`, text)),
    );
    const [one, two] = await Promise.all(nodes.map(({ heard }) => heard.payloads('chat', sent.length)));
    expect([...(one ?? [])].sort()).toEqual([...sent].sort());
    expect(two).toEqual(one);
    expect(nodes[1].heard.positions).toEqual(nodes[0].heard.positions);
    for (const node of nodes) expect(node.heard.gaps).toEqual([]);
    await Promise.all(nodes.map((node) => node.stop()));
  });
});

async function join(url: string, prefix: string): Promise<LogNode> {
  const node = await new LogNode({ url, prefix, commandTimeoutMs: 1000 }).start();
  await until(() => node.bus.ready(), 'ready');
  await node.bus.follow('chat');
  return node;
}

async function survives(url: string, failover: (prefix: string) => Promise<void>): Promise<void> {
  const prefix = `${randomUUID()}:`;
  const nodes = [await join(url, prefix), await join(url, prefix)];
  await nodes[0]?.bus.publish('chat', 'before');
  for (const { heard } of nodes) await heard.payloads('chat', 1);
  await failover(prefix);
  await until(
    () => nodes.every((node) => node.heard.gaps.length > 0 && node.bus.ready()),
    'all know and are back',
  );
  await nodes[1]?.bus.publish('chat', 'after');
  for (const { heard } of nodes) {
    await until(() => heard.on('chat').at(-1) === 'after', 'the event after');
    // A Cluster's master that is replaced may be told too, once.
    expect(heard.gaps.filter((reason) => reason !== 'master_replaced')).toEqual(['log_restarted']);
    expect(heard.gaps.length).toBeLessThanOrEqual(2);
  }
  await Promise.all(nodes.map((node) => node.stop()));
}

/** Who holds the slot of the log's keys. */
async function homeOf(prefix: string): Promise<RedisServer> {
  for (const { server } of await cluster.masters()) {
    const found = await server.client.exists(`${prefix}yamabiko:{home}:log:head`).catch(() => 0);
    if (found === 1) return server;
  }
  throw new Error('no master holds the log');
}

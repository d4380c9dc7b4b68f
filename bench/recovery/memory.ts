import { setTimeout as sleep } from 'node:timers/promises';
import { publishPaced } from '../pacing.ts';
import type { Cluster } from './cluster.ts';

export interface MemoryFigures {
  readonly redisBytes: number;
  /** Heap and buffers that the node holds after a collection. */
  readonly nodeBytes: number;
  /** Of the node's process, which also holds what it has not given back yet. */
  readonly nodeRssBytes: number;
}

const PER_SECOND = 10_000;

/** What so many events leave behind in Redis and in the node, as long as the history keeps them. */
export async function memory(cluster: Cluster, events: number): Promise<MemoryFigures> {
  const { channel, payload } = cluster.event;
  const publish = () => void cluster.redis.publish(channel, payload);
  // Whatever is compiled, cached or grown once is not theirs.
  await publishPaced(PER_SECOND, 1, publish);
  await sleep(500);
  const before = await snapshot(cluster);
  await publishPaced(PER_SECOND, events / PER_SECOND, publish);
  await sleep(500);
  const after = await snapshot(cluster);
  return {
    redisBytes: after.redisBytes - before.redisBytes,
    nodeBytes: after.nodeBytes - before.nodeBytes,
    nodeRssBytes: after.nodeRssBytes - before.nodeRssBytes,
  };
}

async function snapshot(cluster: Cluster): Promise<MemoryFigures> {
  const [node] = await cluster.reports(true);
  const used = /^used_memory:(\d+)/m.exec(await cluster.redis.info('memory'))?.[1];
  return {
    redisBytes: Number(used),
    nodeBytes: (node?.heapBytes ?? 0) + (node?.externalBytes ?? 0),
    nodeRssBytes: node?.rssBytes ?? 0,
  };
}

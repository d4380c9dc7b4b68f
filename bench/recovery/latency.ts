import { setTimeout as sleep } from 'node:timers/promises';
import { percentile } from '../figures.ts';
import { publishPaced } from '../pacing.ts';
import type { Cluster, Usage } from './cluster.ts';

export interface PacedFigures {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of all nodes, and of the one that used most: with the log that is the writer. Microseconds of CPU. */
  readonly nodePerEvent: number;
  readonly busiestNodePerEvent: number;
  readonly redisPerEvent: number;
}

const IDLE_SECONDS = 3;
const PATIENCE_MS = 10_000;

/** What a quiet second costs: pings between nodes, leases, probes and markers are paid whether events come or not. */
export async function quiet(cluster: Cluster): Promise<Usage> {
  const before = await cluster.usage();
  await sleep(IDLE_SECONDS * 1000);
  const after = await cluster.usage();
  return {
    nodes: after.nodes.map((cpu, i) => (cpu - (before.nodes[i] ?? 0)) / IDLE_SECONDS),
    redis: (after.redis - before.redis) / IDLE_SECONDS,
  };
}

/** From PUBLISH to the page, on each node; and what an event costs beyond a quiet second. */
export async function paced(
  cluster: Cluster,
  perSecond: number,
  seconds: number,
  idle: Usage,
): Promise<PacedFigures> {
  const { channel, payload } = cluster.event;
  const sentAtMs: number[] = [];
  const tookMs: number[] = [];
  for (const page of cluster.pages) {
    let next = 0;
    page.onDelivery(() => tookMs.push(performance.now() - (sentAtMs[next++] ?? Number.NaN)));
  }
  const [before, startMs] = [await cluster.usage(), performance.now()];
  await publishPaced(perSecond, seconds, () => {
    sentAtMs.push(performance.now());
    void cluster.redis.publish(channel, payload);
  });
  const expected = sentAtMs.length * cluster.pages.length;
  const endMs = performance.now() + PATIENCE_MS;
  while (tookMs.length < expected && performance.now() < endMs) await sleep(5);
  const [after, elapsed] = [await cluster.usage(), (performance.now() - startMs) / 1000];
  for (const page of cluster.pages) page.onDelivery(() => {});
  if (tookMs.length !== expected) throw new Error(`${tookMs.length} deliveries instead of ${expected}`);
  const events = sentAtMs.length;
  const beyond = (used: number, inQuiet: number) => (used - inQuiet * elapsed) / events;
  const nodes = after.nodes.map((cpu, i) => beyond(cpu - (before.nodes[i] ?? 0), idle.nodes[i] ?? 0));
  return {
    p50Ms: percentile(tookMs, 0.5),
    p99Ms: percentile(tookMs, 0.99),
    nodePerEvent: nodes.reduce((sum, cpu) => sum + cpu, 0) / nodes.length,
    busiestNodePerEvent: Math.max(...nodes),
    redisPerEvent: beyond(after.redis - before.redis, idle.redis),
  };
}

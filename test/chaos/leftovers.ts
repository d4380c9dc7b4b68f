import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisServer } from '../support/redis-server.ts';
import type { ClusterNode } from './cluster-node.ts';
import type { Recorder } from './report.ts';
import { PREFIX } from './scene.ts';

/** A polling client that vanished is found gone by its ping only. */
const PATIENCE_MS = 20_000;
const HELD = ['yamabiko_connections', 'yamabiko_subscriptions', 'yamabiko_members'];

/** All clients have left: every node's counters go to zero, and each gap that it logged has been counted. */
export async function nodesHoldNothing(nodes: readonly ClusterNode[], recorder: Recorder): Promise<void> {
  for (const node of nodes) {
    const limit = Date.now() + PATIENCE_MS;
    let held = await node.metric(...HELD);
    while (held.some((count) => count !== 0) && Date.now() < limit) {
      await sleep(200);
      held = await node.metric(...HELD);
    }
    if (held.some((count) => count !== 0))
      recorder.violation('counter not zero', `${node.name}: ${HELD.join(', ')} are ${held.join(', ')}`);
    const [gaps] = await node.metric('yamabiko_bus_gaps_total');
    if (node.gaps.some(({ to }) => to === null))
      recorder.violation('gaps miscounted', `${node.name} is ready, and has told no end of a gap`);
    if (gaps !== node.gaps.length)
      recorder.violation('gaps miscounted', `${node.name} logged ${node.gaps.length} and counted ${gaps}`);
  }
}

/** While nodes live: they clear away what a node left that died a moment ago. What stays is told by `leftInRedis`. */
export async function deadNodesAreForgotten(redis: RedisServer, living: number): Promise<void> {
  const limit = Date.now() + PATIENCE_MS;
  while (Date.now() < limit) {
    const keys = await redis.client.keys(`${PREFIX}yamabiko:room:*`);
    const leases = await redis.client.zcard(`${PREFIX}yamabiko:nodes`);
    if (leases === living && keys.every((key) => key.endsWith(':revision'))) return;
    await sleep(200);
  }
}

/** The last node has ended: no seat, no member, no lease is left. */
export async function leftInRedis(redis: RedisServer, recorder: Recorder): Promise<void> {
  const keys = await redis.client.keys(`${PREFIX}yamabiko:*`);
  const left = [];
  for (const key of keys) if (!isOfLog(key) && !(await endsByItself(redis, key))) left.push(key);
  if (left.length > 0) recorder.violation('left in Redis', left.join(', '));
}

/**
 * A revision outlives its room on purpose, for a day. The list of rooms of a node that was frozen while it entered one
 * can be written again after the others have forgotten the node: nothing reads it, and it ends within a week. Whose turn
 * it is to look for stray events is a key that ends with the turn.
 */
async function endsByItself(redis: RedisServer, key: string): Promise<boolean> {
  const mayEndLater =
    key.endsWith(':revision') || key.endsWith(':sampling') || /:node:[^:]+:rooms$/.test(key);
  return mayEndLater && (await redis.client.ttl(key)) > 0;
}

/** What was published is there still for whoever starts next: its clients may come back to it. */
function isOfLog(key: string): boolean {
  return key.startsWith(`${PREFIX}yamabiko:{home}:log:`);
}

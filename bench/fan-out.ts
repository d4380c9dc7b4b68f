import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Child } from './child.ts';
import type { FrameCounter } from './frame-counter.ts';
import { publishPaced } from './pacing.ts';
import type { Target } from './targets.ts';

export interface Load {
  readonly name: string;
  /** Publishes that go out together. */
  readonly burst: number;
  /** Bursts that may be under way at once. */
  readonly underWay: number;
  readonly events: number;
  /** Events a second, whatever is under way: the same work for all. Default: as they are received. */
  readonly perSecond?: number;
}

export interface Figures {
  readonly deliveriesPerSecond: number;
  readonly cpuPerDelivery: number;
}

/** A target with all its receivers in place, until `run` has ended. */
export async function withReceivers(
  target: Target,
  redisUrl: string,
  receivers: number,
  run: (measure: (redis: Redis, load: Load) => Promise<Figures>) => Promise<void>,
): Promise<void> {
  const { child, port } = await target.start(redisUrl);
  const clients: FrameCounter[] = [];
  try {
    while (clients.length < receivers) {
      clients.push(...(await Promise.all(Array.from({ length: 50 }, () => target.open(port)))));
    }
    // Whatever the join still sends (an ack) must not be counted as a delivery.
    await sleep(300);
    await run((redis, load) => fanOut(target, child, clients, redis, load));
  } finally {
    for (const client of clients) client.close();
    await child.stop();
  }
}

/** Publishes `events` times to all receivers, checks that each got every one, and measures what it cost the server. */
async function fanOut(
  target: Target,
  child: Child,
  clients: readonly FrameCounter[],
  redis: Redis,
  load: Load,
): Promise<Figures> {
  const payload = target.payload(`{"text":"${'x'.repeat(80)}"}`);
  await publishAll(clients, redis, target.channel, payload, { ...load, events: load.events / 5 });
  const cpuBefore = child.cpuMicroseconds();
  const startMs = performance.now();
  await publishAll(clients, redis, target.channel, payload, load);
  const seconds = (performance.now() - startMs) / 1000;
  const deliveries = load.events * clients.length;
  return {
    deliveriesPerSecond: deliveries / seconds,
    cpuPerDelivery: (child.cpuMicroseconds() - cpuBefore) / deliveries,
  };
}

async function publishAll(
  clients: readonly FrameCounter[],
  redis: Redis,
  channel: string,
  payload: string,
  load: Load,
) {
  const { burst, underWay, events, perSecond } = load;
  const before = clients.reduce((sum, client) => sum + client.deliveries, 0);
  const perBurst = burst * clients.length;
  let received = 0;
  let sent = 0;
  await new Promise<void>((resolve, reject) => {
    const publish = () => {
      sent += burst;
      for (let i = 0; i < burst; i++) redis.publish(channel, payload).catch(reject);
    };
    for (const client of clients) {
      client.onDelivery(() => {
        received++;
        if (perSecond === undefined && received % perBurst === 0 && sent < events) publish();
        if (received === events * clients.length) resolve();
      });
    }
    if (perSecond !== undefined) publishPaced(perSecond, events / perSecond, publish).catch(reject);
    else for (let i = 0; i < underWay; i++) publish();
  });
  for (const client of clients) client.onDelivery(() => {});
  const total = clients.reduce((sum, client) => sum + client.deliveries, 0) - before;
  if (total !== events * clients.length)
    throw new Error(`${total} deliveries instead of ${events * clients.length}`);
}

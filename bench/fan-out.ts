import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { FrameCounter } from './frame-counter.ts';
import type { Target } from './targets.ts';

export interface Load {
  readonly name: string;
  /** Publishes that go out together. */
  readonly burst: number;
  /** Bursts that may be under way at once. */
  readonly underWay: number;
  readonly events: number;
}

export interface Figures {
  readonly deliveriesPerSecond: number;
  readonly cpuPerDelivery: number;
}

/** Publishes `events` times to all receivers, checks that each got every one, and measures what it cost the server. */
export async function fanOut(
  target: Target,
  redisUrl: string,
  redis: Redis,
  receivers: number,
  load: Load,
): Promise<Figures> {
  const { child, port } = await target.start(redisUrl);
  const clients: FrameCounter[] = [];
  try {
    while (clients.length < receivers) {
      clients.push(...(await Promise.all(Array.from({ length: 50 }, () => target.open(port)))));
    }
    // Whatever the join still sends (an ack) must not be counted as a delivery.
    await sleep(300);
    const payload = target.payload(`{"text":"${'x'.repeat(80)}"}`);
    await publishAll(clients, redis, target.channel, payload, { ...load, events: load.events / 5 });
    const cpuBefore = child.cpuMicroseconds();
    const startMs = performance.now();
    await publishAll(clients, redis, target.channel, payload, load);
    const seconds = (performance.now() - startMs) / 1000;
    const deliveries = load.events * receivers;
    return {
      deliveriesPerSecond: deliveries / seconds,
      cpuPerDelivery: (child.cpuMicroseconds() - cpuBefore) / deliveries,
    };
  } finally {
    for (const client of clients) client.close();
    await child.stop();
  }
}

async function publishAll(
  clients: readonly FrameCounter[],
  redis: Redis,
  channel: string,
  payload: string,
  load: Load,
) {
  const { burst, underWay, events } = load;
  const before = clients.reduce((sum, client) => sum + client.frames, 0);
  const perBurst = burst * clients.length;
  let received = 0;
  let sent = 0;
  await new Promise<void>((resolve, reject) => {
    const publish = () => {
      sent += burst;
      for (let i = 0; i < burst; i++) redis.publish(channel, payload).catch(reject);
    };
    for (const client of clients) {
      client.onFrame(() => {
        received++;
        if (received % perBurst === 0 && sent < events) publish();
        if (received === events * clients.length) resolve();
      });
    }
    for (let i = 0; i < underWay; i++) publish();
  });
  for (const client of clients) client.onFrame(() => {});
  const total = clients.reduce((sum, client) => sum + client.frames, 0) - before;
  if (total !== events * clients.length)
    throw new Error(`${total} frames instead of ${events * clients.length}`);
}

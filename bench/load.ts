import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { FrameCounter } from './frame-counter.ts';
import { publishPaced } from './pacing.ts';
import { Progress } from './progress.ts';
import type { Publication } from './targets/target.ts';

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

export interface Heard {
  readonly due: number;
  readonly lost: number;
  readonly seconds: number;
  /** Of each delivery, from its PUBLISH; in milliseconds, of a paced load alone. */
  readonly latenciesMs: readonly number[];
}

/** What comes twice, or to somebody else, comes at once behind. */
const AFTERMATH_MS = 30;

/** Publishes `events` times to all clients of a channel, and counts each delivery. */
export async function publishToAll(
  clients: readonly FrameCounter[],
  redis: Redis,
  { channel, payload }: Publication,
  load: Load,
): Promise<Heard> {
  const { burst, underWay, events, perSecond } = load;
  const before = total(clients);
  const perBurst = burst * clients.length;
  const due = events * clients.length;
  const progress = new Progress(due);
  const sentAtMs: number[] = [];
  const latenciesMs: number[] = [];
  const publish = () => {
    for (let i = 0; i < burst; i++) {
      sentAtMs.push(performance.now());
      void redis.publish(channel, payload);
    }
  };
  for (const client of clients) {
    let next = 0;
    client.onDelivery(() => {
      progress.arrived();
      if (perSecond !== undefined) latenciesMs.push(performance.now() - (sentAtMs[next++] ?? Number.NaN));
      else if (progress.received % perBurst === 0 && sentAtMs.length < events) publish();
    });
  }
  const startMs = performance.now();
  if (perSecond !== undefined) await publishPaced(perSecond, events / perSecond, publish);
  else for (let i = 0; i < underWay; i++) publish();
  const lost = await progress.end();
  const seconds = (performance.now() - startMs) / 1000;
  await sleep(AFTERMATH_MS);
  for (const client of clients) client.onDelivery(() => {});
  const extra = total(clients) - before - (due - lost);
  if (extra > 0) throw new Error(`${extra} deliveries too many`);
  return { due, lost, seconds, latenciesMs };
}

function total(clients: readonly FrameCounter[]): number {
  return clients.reduce((sum, client) => sum + client.deliveries, 0);
}

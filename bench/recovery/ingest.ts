import { setTimeout as sleep } from 'node:timers/promises';
import type { FrameCounter } from '../frame-counter.ts';
import type { Cluster } from './cluster.ts';
import { Pipe } from './pipe.ts';

export interface BurstFigures {
  readonly publishedPerSecond: number;
  /** Null on the plain bus. */
  readonly appendedPerSecond: number | null;
  /** Until the last page had the last one. */
  readonly deliveredPerSecond: number;
  /** Of all pages together. */
  readonly lost: number;
}

const PATIENCE_MS = 60_000;
/** Events under way, as seen from the slowest page. */
const WINDOW = 2000;

/** All at once, as fast as Redis takes them: who keeps up, and who catches up later. */
export async function burst(cluster: Cluster, events: number): Promise<BurstFigures> {
  const { pipe, received, stop } = await begin(cluster);
  const head = await cluster.headKey();
  const indexOf = async (key: string) => Number(await cluster.redis.hget(key, 'index'));
  const first = head === null ? 0 : await indexOf(head);
  const startMs = performance.now();
  const perSecond = () => (events / (performance.now() - startMs)) * 1000;
  const rates = { published: 0, appended: 0, delivered: 0 };
  const appending = head === null ? null : watch(async () => (await indexOf(head)) >= first + events);
  void appending?.then(() => {
    rates.appended = perSecond();
  });
  const delivering = watch(async () => received() >= events);
  void delivering.then(() => {
    rates.delivered = perSecond();
  });
  while (pipe.sent < events) await pipe.batch();
  await pipe.allTaken();
  rates.published = perSecond();
  await Promise.all([appending, delivering]);
  return {
    publishedPerSecond: rates.published,
    appendedPerSecond: head === null ? null : rates.appended,
    deliveredPerSecond: rates.delivered,
    lost: stop(events),
  };
}

/** As fast as the slowest page hears them, so that nothing piles up: events a second. */
export async function sustained(cluster: Cluster, events: number): Promise<number> {
  const { pipe, received, stop } = await begin(cluster);
  const startMs = performance.now();
  while (pipe.sent < events) {
    if (pipe.sent - received() < WINDOW) await pipe.batch();
    else await new Promise(setImmediate);
  }
  await watch(async () => received() >= events);
  const seconds = (performance.now() - startMs) / 1000;
  const lost = stop(events);
  if (lost !== 0) throw new Error(`${lost} deliveries too few`);
  return events / seconds;
}

async function begin({ url, event, pages }: Cluster) {
  const pipe = await Pipe.open(url, event.channel, event.payload);
  const before = new Map<FrameCounter, number>(pages.map((page) => [page, page.deliveries]));
  const counts = () => pages.map((page) => page.deliveries - (before.get(page) ?? 0));
  const stop = (events: number) => {
    pipe.close();
    return counts().reduce((lost, count) => lost + events - count, 0);
  };
  return { pipe, received: () => Math.min(...counts()), stop };
}

async function watch(done: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (performance.now() < endMs && !(await done())) await sleep(5);
}

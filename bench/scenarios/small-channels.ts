import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { inParallel, withClients } from '../crowd.ts';
import type { FrameCounter } from '../frame-counter.ts';
import { Progress } from '../progress.ts';
import { scenario } from '../scenario.ts';
import { DOORS } from '../targets/all.ts';
import type { Target } from '../targets/target.ts';

const CHANNELS = 2000;
const UNDER_WAY = 200;
const PASSES = 10;
const nameOf = (channel: number) => `bench-${channel}`;

/** Each client alone on a channel of its own, as with what is told to one user. */
export const smallChannels = scenario('small', DOORS, async (target, stage, { note, count }) => {
  const { port, child, redis } = stage;
  const opening = inParallel(CHANNELS, 100, (i) => target.open(port, nameOf(i)));
  await withClients(opening, async (clients) => {
    await sleep(300);
    await publishRound(target, clients, redis, CHANNELS * 2);
    const [cpuBefore, startMs] = [child.cpuMicroseconds(), performance.now()];
    const due = CHANNELS * PASSES;
    const lost = await publishRound(target, clients, redis, due);
    note('smallRate', ((due - lost) / (performance.now() - startMs)) * 1000);
    note('smallCpu', (child.cpuMicroseconds() - cpuBefore) / due);
    count(due, lost);
  });
});

/** @returns how many were lost */
export async function publishRound(
  target: Target,
  clients: readonly FrameCounter[],
  redis: Redis,
  events: number,
  channelOf: (event: number) => string = (event) => nameOf(event % clients.length),
): Promise<number> {
  const progress = new Progress(events);
  let sent = 0;
  const publish = () => {
    if (sent >= events) return;
    const { channel, payload } = target.publication(channelOf(sent++), `{"text":"${'x'.repeat(80)}"}`);
    void redis.publish(channel, payload);
  };
  for (const client of clients)
    client.onDelivery(() => {
      progress.arrived();
      publish();
    });
  for (let i = 0; i < UNDER_WAY; i++) publish();
  const lost = await progress.end();
  for (const client of clients) client.onDelivery(() => {});
  return lost;
}

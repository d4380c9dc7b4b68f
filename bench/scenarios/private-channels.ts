import { setTimeout as sleep } from 'node:timers/promises';
import { inParallel, withClients } from '../crowd.ts';
import type { FrameCounter } from '../frame-counter.ts';
import { scenario } from '../scenario.ts';
import { redisCpuMicroseconds, type Stage } from '../stage.ts';
import { PRIVATE } from '../targets/all.ts';
import { publishRound } from './small-channels.ts';

const CLIENTS = 1000;
const CHANNELS_EACH = 10;
/** Clients whose answers are waited for. */
const AT_ONCE = 20;
const CHURNS = 3;
const QUIET_MS = 300;

/** Many channels of one member, each by Laravel's leave; then everybody leaves one and takes another, again and again. */
export const privateChannels = scenario('private', PRIVATE, async (target, stage, { note, count }) => {
  const { port, child, redis } = stage;
  const nameOf = (index: number) => `private-bench-${index}`;
  const current: string[] = [];
  await withClients(
    inParallel(CLIENTS, 50, () => target.connect(port)),
    async (clients) => {
      const subscribe = (client: FrameCounter, index: number, channel: number) => {
        current[index] = nameOf(channel);
        target.subscribe(client, nameOf(channel));
      };
      const total = CLIENTS * CHANNELS_EACH;
      const [cpuBefore, startMs] = [child.cpuMicroseconds(), performance.now()];
      const asked = stage.laravel.answered();
      for (const [i, client] of clients.entries()) {
        await answered(stage, asked + (i - AT_ONCE) * CHANNELS_EACH);
        for (let n = i * CHANNELS_EACH; n < (i + 1) * CHANNELS_EACH; n++) subscribe(client, n, n);
      }
      await answered(stage, asked + total);
      note('privateRate', (total / (performance.now() - startMs)) * 1000);
      await sleep(QUIET_MS);
      note('privateCpu', (child.cpuMicroseconds() - cpuBefore) / total);

      const [churnCpu, churnRedis] = [child.cpuMicroseconds(), await redisCpuMicroseconds(redis)];
      for (let churn = 0; churn < CHURNS; churn++) {
        const askedBefore = stage.laravel.answered();
        for (const [i, client] of clients.entries()) {
          const index = i * CHANNELS_EACH + churn;
          target.unsubscribe(client, current[index] ?? '');
          subscribe(client, index, total * (churn + 1) + index);
        }
        await answered(stage, askedBefore + CLIENTS);
        await sleep(QUIET_MS);
      }
      note('privateChurnCpu', (child.cpuMicroseconds() - churnCpu) / (CHURNS * CLIENTS));
      note('privateChurnRedis', ((await redisCpuMicroseconds(redis)) - churnRedis) / (CHURNS * CLIENTS));

      await sleep(1000);
      const channelOf = (event: number) => current[event % total] ?? '';
      const eventCpu = child.cpuMicroseconds();
      const lost = await publishRound(target, clients, redis, total, channelOf);
      note('privateEventCpu', (child.cpuMicroseconds() - eventCpu) / total);
      count(total, lost);
    },
  );
});

/** laravel-echo-server does not tell its clients that they may hear a private channel; that it has asked is seen here. */
async function answered({ laravel }: Stage, questions: number): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (laravel.answered() < questions) {
    if (performance.now() > endMs)
      throw new Error(`only ${laravel.answered()} questions of ${questions} came`);
    await sleep(2);
  }
}

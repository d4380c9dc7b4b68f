import { setTimeout as sleep } from 'node:timers/promises';
import { inParallel, withClients } from '../crowd.ts';
import { report } from '../node-process.ts';
import { scenario } from '../scenario.ts';
import { DOORS } from '../targets/all.ts';

const WARM_UP = 300;
const STORM = 2000;
const IDLE = 5000;
const AT_ONCE = 200;

/** Everybody comes at once, each to the same channel, and then nothing happens. */
export const idleConnections = scenario('idle', DOORS, async (target, { port, child }, { note }) => {
  const open = (count: number) => inParallel(count, AT_ONCE, () => target.open(port, 'bench'));
  await withClients(open(WARM_UP), async () => {});
  await sleep(500);
  const before = await report(child, true);
  const [cpuBefore, startMs] = [child.cpuMicroseconds(), performance.now()];
  await withClients(open(STORM), async (first) => {
    note('stormRate', (first.length / (performance.now() - startMs)) * 1000);
    note('stormCpu', (child.cpuMicroseconds() - cpuBefore) / first.length);
    await withClients(open(IDLE - STORM), async () => {
      await sleep(1000);
      const after = await report(child, true);
      const held = ({ heapBytes, externalBytes }: typeof after) => heapBytes + externalBytes;
      note('idleMemory', (held(after) - held(before)) / IDLE / 1024);
      note('idleRss', (after.rssBytes - before.rssBytes) / IDLE / 1024);
    });
  });
});

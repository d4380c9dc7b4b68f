import { setTimeout as sleep } from 'node:timers/promises';
import { inParallel, withClients } from '../crowd.ts';
import { percentile } from '../figures.ts';
import { type Load, publishToAll } from '../load.ts';
import type { MeasureKey } from '../measures.ts';
import { scenario } from '../scenario.ts';
import { DOORS } from '../targets/all.ts';

const RECEIVERS = Number(process.env.BENCH_RECEIVERS ?? 1000);
const SMALL = `{"text":"${'x'.repeat(80)}"}`;
const LARGE = `{"text":"${'x'.repeat(4000)}"}`;

interface Row {
  readonly load: Load;
  readonly data: string;
  readonly rate?: MeasureKey;
  readonly cpu: MeasureKey;
}

const ROWS: readonly Row[] = [
  {
    load: { name: 'full speed', burst: 1, underWay: 8, events: 240 },
    data: SMALL,
    rate: 'fullRate',
    cpu: 'fullCpu',
  },
  {
    load: { name: 'full speed', burst: 1, underWay: 8, events: 120 },
    data: LARGE,
    rate: 'largeRate',
    cpu: 'largeCpu',
  },
  {
    load: { name: 'one at a time', burst: 1, underWay: 1, events: 100 },
    data: SMALL,
    rate: 'singleRate',
    cpu: 'singleCpu',
  },
  {
    load: { name: 'bursts', burst: 10, underWay: 1, events: 300 },
    data: SMALL,
    rate: 'burstRate',
    cpu: 'burstCpu',
  },
  { load: { name: 'paced', burst: 1, underWay: 0, events: 80, perSecond: 20 }, data: SMALL, cpu: 'pacedCpu' },
];

/** One publish to many sockets: the hot path. */
export const fanOut = scenario('fan-out', DOORS, async (target, stage, { note, count }) => {
  const { port, child, redis } = stage;
  const opening = inParallel(RECEIVERS, 50, () => target.open(port, 'bench'));
  await withClients(opening, async (clients) => {
    // Whatever the join still sends (an ack) must not be counted as a delivery.
    await sleep(300);
    for (const { load, data, rate, cpu } of ROWS) {
      const publication = target.publication('bench', data);
      // Compiled code is measured: a server runs for days.
      const { perSecond: _, ...unpaced } = { ...load, underWay: 2, events: load.events / 5 };
      await publishToAll(clients, redis, publication, unpaced);
      const cpuBefore = child.cpuMicroseconds();
      const { due, lost, seconds, latenciesMs } = await publishToAll(clients, redis, publication, load);
      note(cpu, (child.cpuMicroseconds() - cpuBefore) / due);
      count(due, lost);
      if (rate !== undefined) note(rate, (due - lost) / seconds);
      else {
        note('pacedP50', percentile(latenciesMs, 0.5));
        note('pacedP99', percentile(latenciesMs, 0.99));
        note('pacedMax', percentile(latenciesMs, 1));
      }
    }
  });
});

import { inParallel, withClients } from '../crowd.ts';
import { percentile } from '../figures.ts';
import { Flood } from '../flood.ts';
import { type Load, publishToAll } from '../load.ts';
import { scenario } from '../scenario.ts';
import { yamabikoEcho } from '../targets/yamabiko-echo.ts';
import { yamabikoRaw } from '../targets/yamabiko-raw.ts';

const CALM = 200;
const LOAD: Load = { name: 'paced', burst: 1, underWay: 0, events: 80, perSecond: 20 };
const WARM_UP: Load = { name: 'at once', burst: 1, underWay: 1, events: 200 };

/** Those within their limits, with and without strangers who are not. */
export const flood = scenario(
  'flood',
  [yamabikoEcho, yamabikoRaw],
  async (target, { port, redis }, { note, count }) => {
    const opening = inParallel(CALM, 50, () => target.open(port, 'bench'));
    await withClients(opening, async (clients) => {
      const publication = target.publication('bench', `{"text":"${'x'.repeat(80)}"}`);
      await publishToAll(clients, redis, publication, WARM_UP);
      const measure = async () => {
        const { due, lost, latenciesMs } = await publishToAll(clients, redis, publication, LOAD);
        count(due, lost);
        return percentile(latenciesMs, 0.99);
      };
      note('calmP99', await measure());
      const strangers = new Flood(port);
      const startMs = performance.now();
      try {
        note('floodP99', await measure());
        note('floodRefused', (strangers.refused / (performance.now() - startMs)) * 1000);
      } finally {
        strangers.stop();
      }
    });
  },
);

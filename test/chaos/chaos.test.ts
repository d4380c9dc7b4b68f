import { expect, it } from 'vitest';
import { runChaos } from './chaos-run.ts';
import { MIXES } from './faults.ts';
import { tallyTable } from './report.ts';
import { writeReport } from './run.ts';

const SECONDS = 54;
const CLIENTS = 20;
const PAGES = 10;
const EVENTS_PER_SECOND = 50;

it('under random faults pages miss nothing silently and hear nothing twice, and nobody is shown false', {
  timeout: 300_000,
}, async () => {
  // The seed is in the first line of the output; CHAOS_SEED makes the same choices again.
  const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000);
  const report = await runChaos({
    seed,
    seconds: SECONDS,
    clients: CLIENTS,
    pages: PAGES,
    eventsPerSecond: EVENTS_PER_SECOND,
  });
  console.log(tallyTable(report));
  writeReport('chaos-test.json', report);
  expect(report.violations, `seed ${seed}\n${report.stories.join('\n\n')}`).toEqual({});
  // A run in which little happened proves little.
  expect(report.counts['events delivered']).toBeGreaterThan(1_000);
  expect(report.counts['quiet points']).toBeGreaterThan(2);
  for (const mix of MIXES) expect(report.pages[mix].expected, mix).toBeGreaterThan(300);
});

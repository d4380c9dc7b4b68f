import { expect, it } from 'vitest';
import { runChaos } from './chaos-run.ts';
import { tallyTable } from './report.ts';
import { writeReport } from './run.ts';

const SECONDS = 60;
const CLIENTS = 30;

it('three nodes under random faults lose nothing silently, repeat nothing and show nobody false', {
  timeout: 300_000,
}, async () => {
  // The seed is in the first line of the output; CHAOS_SEED makes the same choices again.
  const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000);
  const report = await runChaos({ seed, seconds: SECONDS, clients: CLIENTS });
  console.log(tallyTable(report));
  writeReport('chaos-test.json', report);
  expect(report.violations, `seed ${seed}\n${report.stories.join('\n\n')}`).toEqual({});
  // A run in which little happened proves little.
  expect(report.counts['events delivered']).toBeGreaterThan(1_000);
  expect(report.counts['quiet points']).toBeGreaterThan(2);
});

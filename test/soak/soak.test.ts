import { expect, it } from 'vitest';
import { patience } from '../support/event-queue.ts';
import { violationsOf } from './run.ts';
import { runSoak } from './soak-run.ts';

/** Attackers and calm clients share this process. */
patience.ms = 30_000;

it('strangers who do their worst leave nothing behind, and calm clients hear everything meanwhile', {
  timeout: 240_000,
}, async () => {
  const report = await runSoak({ seed: Number(process.env.SOAK_SEED ?? 5), seconds: 20, warmUpSeconds: 12 });
  const { turns, before, after, sent } = report;
  expect(violationsOf(report), JSON.stringify({ turns, before, after, sent })).toEqual([]);
  // A run in which little happened proves little.
  expect(sent).toBeGreaterThan(100);
  for (const [name, count] of Object.entries(turns)) expect(count, name).toBeGreaterThan(1);
});

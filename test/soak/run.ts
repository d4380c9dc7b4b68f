import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runSoak, type SoakReport } from './soak-run.ts';

const ARTIFACTS = new URL('../.artifacts/', import.meta.url);
/** How much more may be held after the soak than before it. */
const MAX_GROWTH = 0.1;

/** @returns what happened that must not, a sentence each */
export function violationsOf({ wrongs, before, after, held, alive, exitCode, faults }: SoakReport): string[] {
  const growth = after.heldBytes / before.heldBytes - 1;
  return [
    ...wrongs,
    ...faults.map((line) => `logged: ${line.slice(0, 300)}`),
    ...Object.entries(held).map(([name, count]) => `${name} is ${count} when all have left`),
    ...(alive && exitCode === 0 ? [] : [`the server ended with ${exitCode}`]),
    ...(growth > MAX_GROWTH ? [`memory grew by ${(growth * 100).toFixed(1)} %`] : []),
    ...(after.descriptors > before.descriptors
      ? [`descriptors: ${before.descriptors}, then ${after.descriptors}`]
      : []),
  ];
}

/** `npm run soak -- [--seconds 600] [--seed N]`. @returns the exit code: 1 where something happened that must not */
export async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seconds: { type: 'string', default: '600' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    },
  });
  // What `exit` ends (server, Redis) must not outlive a Ctrl-C.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  console.log(`seed ${values.seed}, ${values.seconds} s`);
  const report = await runSoak({
    seed: Number(values.seed),
    seconds: Number(values.seconds),
    warmUpSeconds: 60,
  });
  const violations = violationsOf(report);
  mkdirSync(ARTIFACTS, { recursive: true });
  writeFileSync(
    fileURLToPath(new URL('soak.json', ARTIFACTS)),
    `${JSON.stringify({ ...report, violations }, null, 2)}\n`,
  );
  console.table(report.turns);
  console.log({ sent: report.sent, before: report.before, after: report.after, violations });
  return violations.length > 0 ? 1 : 0;
}

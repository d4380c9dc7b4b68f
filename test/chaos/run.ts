import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runChaos } from './chaos-run.ts';
import { FAULTS, MIXES } from './faults.ts';
import { type Report, tallyTable } from './report.ts';
import { buildTwin, TWINS, type TwinName } from './twins.ts';

const ARTIFACTS = new URL('../.artifacts/', import.meta.url);
const USAGE = `npm run chaos -- [--seconds 300] [--seed N] [--clients 36] [--pages 16] [--rate 60] [--mix ${MIXES.join('|')}] [--fault ${FAULTS.join('|')}] [--twin ${Object.keys(TWINS).join('|')}]`;

/** @returns the exit code: 1 where something happened that must not */
export async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seconds: { type: 'string', default: '300' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      clients: { type: 'string', default: '36' },
      pages: { type: 'string', default: '16' },
      rate: { type: 'string', default: '60' },
      mix: { type: 'string', multiple: true },
      fault: { type: 'string', multiple: true },
      server: { type: 'string' },
      twin: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  // What `exit` ends (nodes, Redis) must not outlive a Ctrl-C.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  const twin = values.twin === undefined ? null : buildTwin(values.twin as TwinName);
  const main = twin?.main ?? values.server;
  try {
    const report = await runChaos({
      seed: Number(values.seed),
      seconds: Number(values.seconds),
      clients: Number(values.clients),
      pages: Number(values.pages),
      eventsPerSecond: Number(values.rate),
      ...(values.mix === undefined ? {} : { mixes: MIXES.filter((mix) => values.mix?.includes(mix)) }),
      ...(values.fault === undefined
        ? {}
        : { faults: FAULTS.filter((fault) => values.fault?.includes(fault)) }),
      ...(main === undefined ? {} : { main }),
    });
    console.log(`\nseed ${report.seed}\n${tallyTable(report)}`);
    writeReport('chaos.json', report);
    return Object.keys(report.violations).length > 0 ? 1 : 0;
  } finally {
    twin?.discard();
  }
}

/** For whoever compares runs: beside the other results of the tests. */
export function writeReport(name: string, report: Report): void {
  mkdirSync(ARTIFACTS, { recursive: true });
  writeFileSync(fileURLToPath(new URL(name, ARTIFACTS)), `${JSON.stringify(report, null, 2)}\n`);
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { stayOffServers } from './child.ts';
import { GOALS } from './goals.ts';
import { installPeers } from './peers.ts';
import { Results } from './results.ts';
import type { Scenario } from './scenario.ts';
import { fanOut } from './scenarios/fan-out.ts';
import { flood } from './scenarios/flood.ts';
import { idleConnections } from './scenarios/idle-connections.ts';
import { presenceStorm300, presenceStorm1000 } from './scenarios/presence-storm.ts';
import { privateChannels } from './scenarios/private-channels.ts';
import { room } from './scenarios/room.ts';
import { smallChannels } from './scenarios/small-channels.ts';
import { deliveryTable, figureTable, goalTable } from './table.ts';
import { DOORS } from './targets/all.ts';

const SCENARIOS: readonly Scenario[] = [
  fanOut,
  smallChannels,
  idleConnections,
  presenceStorm300,
  presenceStorm1000,
  room,
  privateChannels,
  flood,
];
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const ONLY = process.env.BENCH_ONLY?.split(',');
/** Names of targets. */
const TARGETS = process.env.BENCH_TARGETS?.split(',');

installPeers();
stayOffServers();
const startedAt = new Date();
const loads = [loadavg()];
const results = new Results();
for (const { key, acts } of SCENARIOS) {
  if (ONLY?.includes(key) === false) continue;
  const taking = acts.filter(({ target }) => TARGETS?.includes(target) ?? true);
  for (let round = 0; round < ROUNDS; round++) {
    // Who comes first changes, or what a round leaves behind would always be the same one's.
    for (const act of round % 2 === 0 ? taking : taking.toReversed()) {
      const startMs = performance.now();
      await act.play(results);
      const seconds = (performance.now() - startMs) / 1000;
      console.error(`${key}, round ${round + 1} of ${ROUNDS}, ${act.target}: ${seconds.toFixed(1)} s`);
    }
  }
  loads.push(loadavg());
}

const minutes = (Date.now() - startedAt.getTime()) / 60_000;
const machine = `${cpus().length} cores of ${cpus()[0]?.model}`;
const names = DOORS.map(({ name }) => name);
const page = [
  `${startedAt.toISOString()}, ${minutes.toFixed(1)} minutes, ${machine}, Node ${process.version}; medians of ${ROUNDS} rounds (smallest..largest).`,
  `Load of the machine before and after each scenario: ${loads.map(([minute]) => minute?.toFixed(1)).join(', ')}.`,
  goalTable(results, GOALS),
  figureTable(results, names.slice(0, 4)),
  figureTable(results, names.slice(4)),
  deliveryTable(results),
].join('\n\n');
console.log(page);
mkdirSync('bench/results', { recursive: true });
writeFileSync('bench/results/bench.md', `${page}\n`);
const about = { machine, node: process.version, startedAt, minutes, rounds: ROUNDS, loads };
writeFileSync('bench/results/bench.json', JSON.stringify({ ...about, ...results.toJSON() }, null, 2));

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { stayOffServers } from './child.ts';
import { median, spread } from './figures.ts';
import type { Load } from './load.ts';
import { Cluster } from './recovery/cluster.ts';
import { fanOut } from './recovery/fan-out.ts';
import { burst, sustained } from './recovery/ingest.ts';
import { paced, quiet } from './recovery/latency.ts';
import { memory } from './recovery/memory.ts';
import { BUSES, type BusKind } from './targets/bus-kind.ts';

/** What the log of broadcasts costs beside plain Pub/Sub: both in one run, turn by turn, since the machine's speed drifts. */
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 8);
const RECEIVERS = Number(process.env.BENCH_RECEIVERS ?? 1000);
const ONLY = (process.env.BENCH_ONLY ?? 'paced,ingest,memory,fan-out').split(',');
const NODES = 3;
const RATES = [50, 1000];
const BURST_EVENTS = 50_000;
const SUSTAINED_EVENTS = 40_000;
const MEMORY_EVENTS = 100_000;
const LOADS: readonly Load[] = [
  { name: '8 under way', burst: 1, underWay: 8, events: 400 },
  { name: 'bursts of 10', burst: 10, underWay: 1, events: 500 },
  { name: 'one at a time', burst: 1, underWay: 1, events: 200 },
  { name: '60 events/s', burst: 1, underWay: 0, events: 240, perSecond: 60 },
];

interface Row {
  readonly digits: number;
  readonly plain: number[];
  readonly log: number[];
}

let rows = new Map<string, Row>();

function note(name: string, bus: BusKind, value: number, digits = 0): void {
  const row = rows.get(name) ?? { digits, plain: [], log: [] };
  rows.set(name, row);
  row[bus].push(value);
}

async function withCluster(
  bus: BusKind,
  size: number,
  run: (cluster: Cluster) => Promise<void>,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  const cluster = await Cluster.start(bus, size, settings);
  try {
    await run(cluster);
  } finally {
    await cluster.stop();
  }
}

async function measurePaced(bus: BusKind): Promise<void> {
  await withCluster(bus, NODES, async (cluster) => {
    // Compiled code is measured: a server runs for days.
    await paced(cluster, 1000, 3, { nodes: [], redis: 0 });
    const idle = await quiet(cluster);
    note('quiet: CPU of a node, % of a core', bus, idle.nodes.reduce((a, b) => a + b, 0) / NODES / 10_000, 2);
    note('quiet: CPU of Redis, %', bus, idle.redis / 10_000, 2);
    for (const rate of RATES) {
      const figures = await paced(cluster, rate, SECONDS, idle);
      note(`${rate}/s: p50, ms`, bus, figures.p50Ms, 2);
      note(`${rate}/s: p99, ms`, bus, figures.p99Ms, 2);
      note(`${rate}/s: CPU of a node for each event, us`, bus, figures.nodePerEvent);
      note(`${rate}/s: the same, busiest node (the writer)`, bus, figures.busiestNodePerEvent);
      note(`${rate}/s: CPU of Redis for each event, us`, bus, figures.redisPerEvent);
    }
  });
}

async function measureIngest(bus: BusKind): Promise<void> {
  for (const size of [1, NODES]) {
    await withCluster(bus, size, async (cluster) => {
      const nodes = size === 1 ? 'one node' : `${size} nodes`;
      await sustained(cluster, SUSTAINED_EVENTS / 5);
      note(`${nodes}, 2,000 under way: delivered/s`, bus, await sustained(cluster, SUSTAINED_EVENTS));
      const figures = await burst(cluster, BURST_EVENTS);
      note(`${nodes}, 50,000 at once: published/s`, bus, figures.publishedPerSecond);
      note(`${nodes}, 50,000 at once: appended/s`, bus, figures.appendedPerSecond ?? Number.NaN);
      note(`${nodes}, 50,000 at once: delivered/s`, bus, figures.deliveredPerSecond);
      note(`${nodes}, 50,000 at once: lost`, bus, figures.lost);
    });
  }
}

async function measureMemory(bus: BusKind): Promise<void> {
  const measure = async (cluster: Cluster) => {
    const { redisBytes, nodeBytes, nodeRssBytes } = await memory(cluster, MEMORY_EVENTS);
    note('100,000 events: MB in Redis', bus, redisBytes / 1e6, 1);
    note('100,000 events: MB held by the node', bus, nodeBytes / 1e6, 1);
    note('100,000 events: MB of its process', bus, nodeRssBytes / 1e6, 1);
  };
  // Room for all: what the bound lets go would not be counted.
  await withCluster(bus, 1, measure, { YAMABIKO_HISTORY_BYTES: String(2 ** 30) });
}

async function measureFanOut(bus: BusKind): Promise<void> {
  await fanOut(bus, RECEIVERS, LOADS, (target, load, cpuPerDelivery) =>
    note(`${target}, ${load}: CPU for each delivery, us`, bus, cpuPerDelivery, 2),
  );
}

const PARTS = [
  ['paced', measurePaced],
  ['ingest', measureIngest],
  ['memory', measureMemory],
  ['fan-out', measureFanOut],
] as const;

stayOffServers();
mkdirSync('bench/results', { recursive: true });
for (const [name, measure] of PARTS) {
  if (!ONLY.includes(name)) continue;
  const startedAt = new Date().toISOString();
  const loads = [loadavg()];
  rows = new Map();
  for (let round = 0; round < ROUNDS; round++) {
    // Who comes first changes, or what a round leaves behind would always be the other's.
    for (const bus of round % 2 === 0 ? BUSES : BUSES.toReversed()) await measure(bus);
    loads.push(loadavg());
  }
  print();
  const about = { machine: cpus()[0]?.model, node: process.version, startedAt, loads };
  const scale = { rounds: ROUNDS, seconds: SECONDS, receivers: RECEIVERS };
  const result = { ...about, ...scale, results: Object.fromEntries(rows) };
  writeFileSync(`bench/results/recovery-${name}.json`, JSON.stringify(result, null, 2));
}

function print(): void {
  console.log(`Plain Pub/Sub against the log; medians of ${ROUNDS} rounds, with the smallest and largest`);
  const figure = (values: readonly number[], digits: number) =>
    values.some(Number.isNaN) ? '-' : `${median(values).toFixed(digits)} (${spread(values, digits)})`;
  console.table(
    [...rows].map(([name, { plain, log, digits }]) => ({
      what: name,
      plain: figure(plain, digits),
      log: figure(log, digits),
      'log - plain': (median(log) - median(plain)).toFixed(digits),
      'log / plain': (median(log) / median(plain)).toFixed(2),
    })),
  );
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { Redis } from 'ioredis';
import { type Figures, type Load, withReceivers } from './fan-out.ts';
import { median, spread } from './figures.ts';
import { startRedis } from './store.ts';
import { control, echo, raw, type Target } from './targets.ts';

const RECEIVERS = Number(process.env.BENCH_RECEIVERS ?? 1000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const TARGETS: readonly Target[] = [control, raw, echo];
const LOADS: readonly Load[] = [
  { name: 'full speed (8 events under way)', burst: 1, underWay: 8, events: 400 },
  { name: 'one event at a time', burst: 1, underWay: 1, events: 300 },
  { name: 'bursts of 10 events', burst: 10, underWay: 1, events: 1000 },
];

const { child: store, url: redisUrl } = await startRedis();
const redis = new Redis(redisUrl);
const results: Record<string, Record<string, Figures[]>> = {};
for (const load of LOADS) {
  const rows: Record<string, Figures[]> = {};
  results[load.name] = rows;
  // Interleaved, since the machine's speed drifts.
  for (let round = 0; round < ROUNDS; round++) {
    for (const target of TARGETS) {
      await withReceivers(target, redisUrl, RECEIVERS, async (measure) => {
        rows[target.name] = [...(rows[target.name] ?? []), await measure(redis, load)];
      });
    }
  }
  print(load, rows);
}
redis.disconnect();
await store.stop();
mkdirSync('bench/results', { recursive: true });
writeFileSync(
  'bench/results/fan-out.json',
  JSON.stringify({ machine: cpus()[0]?.model, receivers: RECEIVERS, results }, null, 2),
);

function print(load: Load, rows: Record<string, Figures[]>): void {
  const base = rows[control.name] ?? [];
  const lines = Object.entries(rows).map(([name, figures]) => {
    const rate = median(figures.map((f) => f.deliveriesPerSecond));
    const cpus = figures.map((f, round) => f.cpuPerDelivery / (base[round]?.cpuPerDelivery ?? 1));
    const rates = figures.map((f, round) => f.deliveriesPerSecond / (base[round]?.deliveriesPerSecond ?? 1));
    return {
      target: name,
      'deliveries/s': Math.round(rate),
      'CPU us/delivery': median(figures.map((f) => f.cpuPerDelivery)).toFixed(2),
      'rate / control': median(rates).toFixed(2),
      'CPU / control': `${median(cpus).toFixed(2)} (${spread(cpus, 2)})`,
    };
  });
  console.log(`\nOne Redis event to ${RECEIVERS} receivers, ${load.name}; medians of ${ROUNDS} rounds`);
  console.table(lines);
}

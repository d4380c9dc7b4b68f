import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Child } from './child.ts';

export const SECRET = 'bench-secret-bench-secret-bench-secret';
const SERVER = fileURLToPath(new URL('../server/main.js', import.meta.url));
const SELF_REPORT = new URL('./self-report.js', import.meta.url).href;
/** More than any run lasts: a ping would be counted as a delivery. */
const NO_PINGS_MS = 3_600_000;

export interface Report {
  /** User and system time so far. */
  readonly cpuMicroseconds: number;
  /** After a collection: what is held, not what lies around. */
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly rssBytes: number;
}

/** One node of Yamabiko, ready. BENCH_NODE_ARGS is handed to Node, e.g. `--cpu-prof --cpu-prof-dir=/tmp/profiles`. */
export async function startNode(
  redisUrl: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<{ child: Child; port: number }> {
  const nodeArgs = (process.env.BENCH_NODE_ARGS ?? '').split(' ').filter((arg) => arg !== '');
  const args = ['--expose-gc', `--import=${SELF_REPORT}`, ...nodeArgs, SERVER, 'start'];
  const env = {
    NODE_ENV: 'production',
    YAMABIKO_HOST: '127.0.0.1',
    YAMABIKO_PORT: '0',
    YAMABIKO_JWT_SECRET: SECRET,
    YAMABIKO_REDIS_URL: redisUrl,
    YAMABIKO_LOG_FORMAT: 'json',
    YAMABIKO_PING_INTERVAL_MS: String(NO_PINGS_MS),
    ...settings,
  };
  const child = new Child(0, process.execPath, args, env, true);
  const line = await child.line(/is listening/);
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1]);
  while (!(await fetch(`http://127.0.0.1:${port}/health/ready`)).ok) await sleep(50);
  return { child, port };
}

/** @param held whether to collect garbage before, for the memory's sake */
export async function report(child: Child, held = false): Promise<Report> {
  return (await child.ask(held ? 'collect' : 'report')) as Report;
}

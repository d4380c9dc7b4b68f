import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Child } from './child.ts';
import { startNodeProcess } from './node-process.ts';

export const SECRET = 'bench-secret-bench-secret-bench-secret';
/** This build. */
const SERVER = fileURLToPath(new URL('../server/main.js', import.meta.url));
/** More than any run lasts: a ping would be counted as a delivery. */
const NO_PINGS_MS = 3_600_000;

/** Another build, measured beside this one. */
export interface Build {
  readonly name: string;
  /** Its server/main.js. */
  readonly server: string;
}

/** One node of Yamabiko, ready. */
export async function startNode(
  redisUrl: string,
  settings: Readonly<Record<string, string>> = {},
  server: string = SERVER,
): Promise<{ child: Child; port: number }> {
  const child = startNodeProcess(server, ['start'], {
    YAMABIKO_HOST: '127.0.0.1',
    YAMABIKO_PORT: '0',
    YAMABIKO_JWT_SECRET: SECRET,
    YAMABIKO_REDIS_URL: redisUrl,
    YAMABIKO_LOG_FORMAT: 'json',
    YAMABIKO_PING_INTERVAL_MS: String(NO_PINGS_MS),
    ...settings,
  });
  const line = await child.line(/is listening/);
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1]);
  while (!(await fetch(`http://127.0.0.1:${port}/health/ready`)).ok) await sleep(50);
  return { child, port };
}

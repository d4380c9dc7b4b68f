import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../config/load-config.ts';
import type { Logger } from '../../server/logger/logger.ts';
import { buildServer } from '../../server/server.ts';
import type { ServerSnapshot, YamabikoServer } from '../../server/yamabiko-server.ts';
import { TEST_SECRET } from './jwt.ts';

export interface LogLine {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

export interface Running {
  readonly url: string;
  readonly server: YamabikoServer;
  /** Everything that was logged, for "secrets never reach the log" and "logged with its reason". */
  readonly log: readonly LogLine[];
  snapshot(): ServerSnapshot;
  /** Resolves when `/health/ready` answers 200. */
  ready(): Promise<void>;
  /** Resolves when nothing is held any more; rejects with what is. */
  settledToZero(): Promise<void>;
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
  stop(): Promise<void>;
}

/**
 * A server of this test, in this process, on a free port of 127.0.0.1.
 * @param env settings, as `YAMABIKO_*`
 * @param definitions channel definitions, as a config file has them
 * @param isReady asks it, where that needs more than `fetch` (a certificate of the test's)
 */
export async function startYamabiko(
  env: Readonly<Record<string, string>> = {},
  definitions: Readonly<Record<string, object>> = {},
  isReady: (url: string) => Promise<boolean> = answersReady,
): Promise<Running> {
  const loaded = withConfigFile({ channels: { definitions } }, (configFile) =>
    loadConfig({
      configFile,
      env: {
        YAMABIKO_HOST: '127.0.0.1',
        YAMABIKO_PORT: '0',
        YAMABIKO_JWT_SECRET: TEST_SECRET,
        YAMABIKO_UNFOLLOW_DELAY_MS: '50',
        YAMABIKO_DRAIN_MS: '2000',
        ...env,
      },
      cwd: '/',
    }),
  );
  if (!loaded.ok) throw new Error(`bad settings of a test: ${JSON.stringify(loaded.mistakes)}`);
  const log: LogLine[] = [];
  const server = buildServer(loaded.config, recorder(log));
  const { url } = await server.start();
  const running: Running = {
    url,
    server,
    log,
    snapshot: () => server.snapshot(),
    ready: () => until(() => isReady(url), 'the server is ready'),
    settledToZero: () =>
      until(
        () => isZero(server.snapshot()),
        () => `all counters are zero: ${JSON.stringify(server.snapshot())}`,
      ),
    metric: async (name, labels = {}) =>
      readMetric(await (await fetch(`${url}/metrics`)).text(), name, labels),
    stop: () => server.stop(),
  };
  await running.ready();
  return running;
}

async function answersReady(url: string): Promise<boolean> {
  return (await fetch(`${url}/health/ready`)).status === 200;
}

/** What has no environment variable goes in by a file, as a person would give it. */
function withConfigFile<T>(content: object, load: (configFile: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'yamabiko-config-'));
  try {
    const file = join(folder, 'yamabiko.config.json');
    writeFileSync(file, JSON.stringify(content));
    return load(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Polls a condition that nothing announces. @param what completes "waited in vain until" */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  timeoutMs = 10_000,
): Promise<void> {
  const endsAtMs = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > endsAtMs)
      throw new Error(`waited in vain until ${typeof what === 'string' ? what : what()}`);
    await sleep(10);
  }
}

function isZero(snapshot: ServerSnapshot): boolean {
  return Object.values(snapshot).every((value) =>
    typeof value === 'number' ? value === 0 : Object.values(value as object).every((count) => count === 0),
  );
}

function recorder(lines: LogLine[]): Logger {
  const write = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, fields, message });
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    fatal: write('fatal'),
  };
}

function readMetric(text: string, name: string, labels: Readonly<Record<string, string>>): number {
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  const line = text
    .split('\n')
    .find(
      (l) =>
        (l.startsWith(`${name}{`) || l.startsWith(`${name} `)) && wanted.every((label) => l.includes(label)),
    );
  return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(' ') + 1));
}

import { setTimeout as sleep } from 'node:timers/promises';
import { startAuthEndpoint } from '../support/auth-endpoint.ts';
import { TEST_SECRET } from '../support/jwt.ts';
import { RedisServer } from '../support/redis-server.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { until } from '../support/yamabiko.ts';
import { CalmClients } from './calm.ts';
import { attack } from './hostiles.ts';
import { SoakServer } from './soak-server.ts';

export interface SoakReport {
  readonly seed: number;
  /** Events that the calm clients were to hear, and what went wrong for them. */
  readonly sent: number;
  readonly wrongs: readonly string[];
  /** By attack. */
  readonly turns: Readonly<Record<string, number>>;
  /** In bytes, and how many, when the server was warm and when everybody had left. */
  readonly before: Measure;
  readonly after: Measure;
  /** What was not back at zero. */
  readonly held: Readonly<Record<string, number>>;
  readonly alive: boolean;
  readonly exitCode: number | null;
  readonly faults: readonly string[];
}

interface Measure {
  readonly heldBytes: number;
  readonly descriptors: number;
}

export interface SoakOptions {
  readonly seed: number;
  /** Of the hostile mix, after a warm-up of its own. */
  readonly seconds: number;
  /** First the same mix for so long, so that code, caches and pools are there before memory is measured. */
  readonly warmUpSeconds: number;
}

/** Strangers who do their worst beside calm clients: what it does to these, and what it leaves behind. */
export async function runSoak({ seed, seconds, warmUpSeconds }: SoakOptions): Promise<SoakReport> {
  const redis = await RedisServer.start();
  const laravel = await startAuthEndpoint(async ({ channel }) => {
    await sleep(20);
    return channel.includes('q7') ? { status: 500, body: '' } : { status: 403, body: '{}' };
  });
  const server = await SoakServer.start({
    YAMABIKO_REDIS_URL: redis.url,
    YAMABIKO_AUTH_URL: laravel.url,
    YAMABIKO_JWT_SECRET: TEST_SECRET,
    YAMABIKO_APPS: 'app:key',
    YAMABIKO_HANDSHAKE_TIMEOUT_MS: '2000',
    YAMABIKO_HTTP_REQUEST_TIMEOUT_MS: '5000',
    YAMABIKO_HTTP_KEEP_ALIVE_MS: '2000',
    // The attackers and the calm share the address; and what is kept of the past must not grow while it is measured.
    YAMABIKO_HISTORY_ENTRIES: '100',
  });
  try {
    const random = new SeededRandom(seed);
    await mix(server, redis, random.fork(), warmUpSeconds);
    const before = await measure(server);
    const { turns, wrongs, sent } = await mix(server, redis, random.fork(), seconds);
    const after = await measure(server);
    const [held, alive, faults] = [await server.held(), server.alive, server.faults];
    const exitCode = await server.stop();
    return { seed, sent, wrongs, turns, before, after, held, alive, faults, exitCode };
  } finally {
    await server.stop();
    await laravel.stop();
    await redis.stop();
  }
}

/** Attackers beside calm clients, for so long; nobody is left behind by it. */
async function mix(server: SoakServer, redis: RedisServer, random: SeededRandom, seconds: number) {
  const { url } = server;
  const calm = await CalmClients.open(url);
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), seconds * 1000);
  const [turns] = await Promise.all([
    attack({ url, random, signal: over.signal }),
    calm.speak(redis.client, over.signal),
  ]);
  clearTimeout(timer);
  const wrongs = await calm.verdicts();
  const { sent } = calm;
  await calm.close();
  return { turns, wrongs, sent };
}

/** When everybody has left, and what they left behind had its time to end. */
async function measure(server: SoakServer): Promise<Measure> {
  const empty = async () => Object.keys(await server.held()).length === 0;
  await until(empty, 'nothing is held any more', 30_000).catch(() => {});
  // Sockets that were kept alive, sessions that never came again, channels that are followed a little longer.
  let descriptors = server.descriptors();
  for (let calmMs = 0; calmMs < 6_000; calmMs += 500) {
    await sleep(500);
    if (server.descriptors() !== descriptors) calmMs = 0;
    descriptors = server.descriptors();
  }
  return { heldBytes: await server.heldBytes(), descriptors };
}

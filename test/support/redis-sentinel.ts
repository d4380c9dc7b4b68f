import { Redis } from 'ioredis';
import { RedisServer } from './redis-server.ts';
import { until } from './yamabiko.ts';

export interface RedisSentinelOptions {
  /** For every Redis, e.g. `['--requirepass', 'pw', '--masterauth', 'pw']`. */
  readonly args?: readonly string[];
  /** What the Sentinels themselves want to hear, where `sentinelLines` says so. */
  readonly sentinelPassword?: string;
  /** Lines of each Sentinel's configuration, e.g. `['sentinel auth-pass main pw']`. */
  readonly sentinelLines?: readonly string[];
  /** Options of redis-server about TLS, e.g. `{ 'tls-cert-file': path }`; all then speak it, among themselves too. */
  readonly tls?: Readonly<Record<string, string>>;
}

const MASTER = 'main';
/** A master that is silent for so long is taken for dead; less, and a busy machine changes masters by itself. */
const DOWN_AFTER_MS = 2_000;
const PATIENCE_MS = 40_000;

/**
 * A master, two replicas and three Sentinels of this test file, on free ports of 127.0.0.1:
 *
 *     const redis = await RedisSentinel.start();
 *     await redis.master().kill();
 *     await redis.promoted(redis.master());   // another one has taken over
 *     await redis.stop();
 */
export class RedisSentinel {
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];
  #master: RedisServer;

  private constructor(servers: RedisServer[], sentinels: RedisServer[]) {
    this.servers = servers;
    this.sentinels = sentinels;
    this.#master = servers[0] as RedisServer;
  }

  static async start({
    args = [],
    sentinelLines = [],
    sentinelPassword,
    tls,
  }: RedisSentinelOptions = {}): Promise<RedisSentinel> {
    const tlsOptions = tls === undefined ? [] : Object.entries({ 'tls-replication': 'yes', ...tls });
    const more = [...tlsOptions.flatMap(([name, value]) => [`--${name}`, value]), ...args];
    const master = await RedisServer.start(['--repl-diskless-sync-delay', '0', ...more]);
    const port = portOf(master);
    const of = ['--replicaof', '127.0.0.1', String(port), '--repl-diskless-sync-delay', '0', ...more];
    const replicas = await Promise.all([1, 2].map(() => RedisServer.start(of)));
    const lines = [
      ...tlsOptions.map(([name, value]) => `${name} ${value}`),
      `sentinel monitor ${MASTER} 127.0.0.1 ${port} 2`,
      `sentinel down-after-milliseconds ${MASTER} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${MASTER} 5000`,
      ...sentinelLines,
    ];
    const sentinels = await Promise.all([1, 2, 3].map(() => RedisServer.sentinel(lines, sentinelPassword)));
    const started = new RedisSentinel([master, ...replicas], sentinels);
    await started.#hurry();
    await started.settled();
    return started;
  }

  /** Starts what is dead, thaws what is frozen, and resolves when all is as at the start. */
  async revive(): Promise<void> {
    for (const server of [...this.sentinels, ...this.servers]) {
      server.resume();
      if (!server.answers) await server.restart();
    }
    await this.#hurry();
    await this.settled();
  }

  /** Resolves when all Sentinels know each other, and both replicas follow the master. */
  settled(): Promise<void> {
    return until(() => this.#isSettled(), 'the Sentinels know each other and both replicas', PATIENCE_MS);
  }

  get url(): string {
    return this.urlAs('');
  }

  /** @param credentials `user:password@` or empty. @param query `?..` or empty */
  urlAs(credentials: string, query = ''): string {
    const scheme = this.master().tlsPort === 0 ? 'redis' : 'rediss';
    const hosts = this.sentinels.map((sentinel) => `127.0.0.1:${portOf(sentinel)}`).join(',');
    return `${scheme}+sentinel://${credentials}${hosts}/${MASTER}${query}`;
  }

  /** The one that was last known to be the master. */
  master(): RedisServer {
    return this.#master;
  }

  /** The one that all Sentinels name now. */
  async named(): Promise<RedisServer> {
    await until(() => this.#agree(), 'the Sentinels agree', PATIENCE_MS);
    return this.#master;
  }

  /** Resolves when all Sentinels name another master than this one. @returns the new one */
  async promoted(old: RedisServer): Promise<RedisServer> {
    await until(
      async () => (await this.#agree()) && this.#master !== old && (await roleOf(this.#master)) === 'master',
      'another master is named',
      PATIENCE_MS,
    );
    return this.#master;
  }

  /** Has the Sentinels change masters while all are well. @returns the new one */
  async failover(): Promise<RedisServer> {
    const old = await this.named();
    const reply = await this.sentinels[0]?.client.call('SENTINEL', 'FAILOVER', MASTER);
    if (reply !== 'OK') throw new Error(`no failover: ${reply}`);
    return this.promoted(old);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.servers].map((server) => server.stop()));
  }

  /** As shipped, a Sentinel takes twenty seconds to notice a master that came back. */
  async #hurry(): Promise<void> {
    for (const { client } of this.sentinels)
      await client.call('SENTINEL', 'DEBUG', 'INFO-PERIOD', 500, 'PUBLISH-PERIOD', 500, 'ASK-PERIOD', 300);
  }

  /** @returns whether all name the same one, which is then taken for the master */
  async #agree(): Promise<boolean> {
    const ports = await Promise.all(this.sentinels.map((sentinel) => namedBy(sentinel)));
    const named = this.servers.find((server) => ports.every((port) => port === portOf(server)));
    this.#master = named ?? this.#master;
    return named !== undefined;
  }

  async #isSettled(): Promise<boolean> {
    const known = await Promise.all(
      this.sentinels.map(async ({ client }) => {
        const master = fieldsOf(await client.call('SENTINEL', 'MASTER', MASTER));
        const replicas = ((await client.call('SENTINEL', 'REPLICAS', MASTER)) as unknown[]).map(fieldsOf);
        return (
          master.flags === 'master' &&
          master['num-other-sentinels'] === '2' &&
          replicas.length === 2 &&
          replicas.every((one) => one.flags === 'slave' && one['master-link-status'] === 'ok')
        );
      }),
    );
    return known.every(Boolean);
  }
}

/** Where the others, and their clients, find it. */
function portOf({ port, tlsPort }: RedisServer): number {
  return tlsPort === 0 ? port : tlsPort;
}

async function namedBy({ client }: RedisServer): Promise<number> {
  const reply = await client.call('SENTINEL', 'get-master-addr-by-name', MASTER);
  return Array.isArray(reply) ? Number(reply[1]) : 0;
}

async function roleOf(server: RedisServer): Promise<string> {
  const asker = new Redis(server.adminUrl, {
    commandTimeout: 1000,
    retryStrategy: () => null,
    lazyConnect: true,
  });
  asker.on('error', () => {
    // It may be gone.
  });
  try {
    await asker.connect();
    const [role] = (await asker.role()) as [string];
    return role;
  } catch {
    return 'none';
  } finally {
    asker.disconnect();
  }
}

/** Of RESP2 pairs or a RESP3 map. */
function fieldsOf(reply: unknown): Record<string, string> {
  if (!Array.isArray(reply)) return reply as Record<string, string>;
  return Object.fromEntries(
    Array.from({ length: reply.length / 2 }, (_, i) => [String(reply[2 * i]), String(reply[2 * i + 1])]),
  );
}

import { onTestFinished } from 'vitest';
import { type AuthEndpoint, startAuthEndpoint } from './auth-endpoint.ts';
import { RedisServer } from './redis-server.ts';
import { type Running, startYamabiko } from './yamabiko.ts';

const PREFIX = 'laravel_database_';

/** Several nodes of this process on one Redis, with a stand-in for Laravel; ends with its test. */
export class Nodes {
  readonly redis: RedisServer;
  readonly auth: AuthEndpoint;
  readonly servers: readonly Running[];

  private constructor(redis: RedisServer, auth: AuthEndpoint, servers: readonly Running[]) {
    this.redis = redis;
    this.auth = auth;
    this.servers = servers;
  }

  static async open(count: number, env: Readonly<Record<string, string>> = {}): Promise<Nodes> {
    const [redis, auth] = [await RedisServer.start(), await startAuthEndpoint()];
    const settings = {
      YAMABIKO_REDIS_URL: redis.url,
      YAMABIKO_AUTH_URL: auth.url,
      YAMABIKO_APPS: 'app:key',
      // All nodes and all clients share one process: a slow step is no outage.
      YAMABIKO_REDIS_COMMAND_TIMEOUT_MS: '15000',
      ...env,
    };
    const servers = await Promise.all(Array.from({ length: count }, () => startYamabiko(settings)));
    onTestFinished(async () => {
      await Promise.all(servers.map((server) => server.stop()));
      await redis.stop();
      await auth.stop();
    });
    return new Nodes(redis, auth, servers);
  }

  /** @param index taken around, so that any number names a node */
  url(index: number): string {
    return this.servers[index % this.servers.length]?.url ?? '';
  }

  /** As Laravel does, at the custom channel. */
  async publish(room: string, text: string): Promise<void> {
    const data = { message: text, name: 'Laravel' };
    await this.redis.client.publish(`${PREFIX}broadcast`, JSON.stringify({ channel: room, data }));
  }

  /** The ids in a room's member list, as a node's HTTP API gives it, sorted as text. */
  async members(room: string, index: number): Promise<string[]> {
    const response = await fetch(`${this.url(index)}/apps/app/channels/presence-${room}/users`, {
      headers: { authorization: 'Bearer key' },
    });
    const { users } = (await response.json()) as { users: { id: unknown }[] };
    return users.map(({ id }) => String(id)).sort();
  }

  /** Resolves when no node holds anything any more. */
  async settledToZero(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.settledToZero()));
  }
}

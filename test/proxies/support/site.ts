import { type AuthEndpoint, startAuthEndpoint } from '../../support/auth-endpoint.ts';
import { TEST_SECRET } from '../../support/jwt.ts';
import { RedisServer } from '../../support/redis-server.ts';
import { LaravelPage } from './laravel-page.ts';
import { YamabikoNode } from './yamabiko-node.ts';

/** What stands behind a proxy: two nodes on one Redis, beside the app. */
export class Site {
  readonly redis: RedisServer;
  readonly auth: AuthEndpoint;
  readonly laravel: LaravelPage;
  readonly nodes: readonly [YamabikoNode, YamabikoNode];

  private constructor(parts: Pick<Site, 'redis' | 'auth' | 'laravel' | 'nodes'>) {
    this.redis = parts.redis;
    this.auth = parts.auth;
    this.laravel = parts.laravel;
    this.nodes = parts.nodes;
  }

  /** @param settings more of the nodes' settings, as `YAMABIKO_*` */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<Site> {
    const [redis, auth, laravel] = await Promise.all([
      RedisServer.start(),
      startAuthEndpoint(),
      LaravelPage.start(),
    ]);
    const env = {
      YAMABIKO_REDIS_URL: redis.url,
      YAMABIKO_AUTH_URL: auth.url,
      YAMABIKO_JWT_SECRET: TEST_SECRET,
      YAMABIKO_TRUSTED_PROXIES: '127.0.0.1',
      YAMABIKO_DRAIN_MS: '3000',
      ...settings,
    };
    const nodes = await YamabikoNode.startTwo(env);
    return new Site({ redis, auth, laravel, nodes });
  }

  /** As Laravel's broadcaster does. */
  async publish(channel: string, event: string, data: object): Promise<void> {
    const payload = JSON.stringify({ event, data: { ...data, socket: null }, socket: null });
    await this.redis.client.publish(`laravel_database_${channel}`, payload);
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await Promise.all([this.redis.stop(), this.auth.stop(), this.laravel.stop()]);
  }
}

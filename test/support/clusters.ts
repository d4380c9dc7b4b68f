import { Redis } from 'ioredis';
import { RedisServer } from './redis-server.ts';
import { type Running, startYamabiko } from './yamabiko.ts';

/** What a story runs on: a server with its bus, and the way in that Laravel has. */
export interface Cluster {
  readonly server: Running;
  /** Publishes as Laravel does. @param channel without prefix; `broadcast` is the custom channel */
  publish(channel: string, payload: string | Buffer): Promise<void>;
  stop(): Promise<void>;
}

export interface ClusterKind {
  readonly name: string;
  start(env?: Readonly<Record<string, string>>): Promise<Cluster>;
}

const PREFIX = 'laravel_database_';

const memory: ClusterKind = {
  name: 'in memory',
  async start(env = {}) {
    const server = await startYamabiko({ YAMABIKO_APPS: 'app:key', ...env });
    return {
      server,
      publish: async (channel, payload) => server.server.publish(channel, payload),
      stop: () => server.stop(),
    };
  },
};

const redis: ClusterKind = {
  name: 'on Redis',
  async start(env = {}) {
    const store = await RedisServer.start();
    const server = await startYamabiko({ YAMABIKO_REDIS_URL: store.url, YAMABIKO_APPS: 'app:key', ...env });
    const laravel = new Redis(store.url);
    return {
      server,
      publish: async (channel, payload) => {
        await laravel.publish(PREFIX + channel, payload);
      },
      async stop() {
        laravel.disconnect();
        await server.stop();
        await store.stop();
      },
    };
  },
};

export const CLUSTERS: readonly ClusterKind[] = [memory, redis];

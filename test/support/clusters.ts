import { RedisCluster } from './redis-cluster.ts';
import { RedisSentinel } from './redis-sentinel.ts';
import { RedisServer } from './redis-server.ts';
import { type Running, startYamabiko } from './yamabiko.ts';

/** What a story runs on: a server with its bus, and the way in that Laravel has. */
export interface Cluster {
  /** The first node. */
  readonly server: Running;
  /** The node that guests come in by: the last one. */
  readonly guestServer: Running;
  /** Resolves when no node holds anything any more. */
  settledToZero(): Promise<void>;
  /** Publishes as Laravel does. @param channel without prefix; `broadcast` is the custom channel */
  publish(channel: string, payload: string | Buffer): Promise<void>;
  stop(): Promise<void>;
}

export interface ClusterKind {
  readonly name: string;
  /** @param definitions channel definitions, as a config file has them */
  start(
    env?: Readonly<Record<string, string>>,
    definitions?: Readonly<Record<string, object>>,
  ): Promise<Cluster>;
}

const PREFIX = 'laravel_database_';

const memory: ClusterKind = {
  name: 'in memory',
  async start(env = {}, definitions = {}) {
    const server = await startYamabiko({ YAMABIKO_APPS: 'app:key', ...env }, definitions);
    return {
      server,
      guestServer: server,
      settledToZero: () => server.settledToZero(),
      publish: async (channel, payload) => server.server.publish(channel, payload),
      stop: () => server.stop(),
    };
  },
};

/** What Laravel and the nodes share. */
interface Store {
  readonly url: string;
  publish(name: string, payload: string | Buffer): Promise<unknown>;
  stop(): Promise<void>;
}

const onStore = (name: string, nodes: number, startStore: () => Promise<Store>): ClusterKind => ({
  name,
  async start(env = {}, definitions = {}) {
    const store = await startStore();
    const settings = { YAMABIKO_REDIS_URL: store.url, YAMABIKO_APPS: 'app:key', ...env };
    const servers = await Promise.all(
      Array.from({ length: nodes }, () => startYamabiko(settings, definitions)),
    );
    const [server, guestServer] = [servers[0], servers.at(-1)] as [Running, Running];
    return {
      server,
      guestServer,
      settledToZero: async () => void (await Promise.all(servers.map((s) => s.settledToZero()))),
      publish: async (channel, payload) => void (await store.publish(PREFIX + channel, payload)),
      async stop() {
        await Promise.all(servers.map((s) => s.stop()));
        await store.stop();
      },
    };
  },
});

const redis = (name: string, nodes: number) =>
  onStore(name, nodes, async () => {
    const server = await RedisServer.start();
    return {
      url: server.url,
      publish: (channel, payload) => server.client.publish(channel, payload),
      stop: () => server.stop(),
    };
  });

const sentinel = onStore('on Redis with Sentinel, two nodes', 2, async () => {
  const group = await RedisSentinel.start();
  return {
    url: group.url,
    publish: (channel, payload) => group.master().client.publish(channel, payload),
    stop: () => group.stop(),
  };
});

const redisCluster = onStore('on Redis Cluster, two nodes', 2, async () => {
  const cluster = await RedisCluster.start();
  return {
    url: cluster.url,
    // A replica will do: what is published anywhere is heard. Always the same, for one order of what one publishes.
    publish: async (channel, payload) => cluster.nodes.at(-1)?.server.client.publish(channel, payload),
    stop: () => cluster.stop(),
  };
});

const redisOneNode = redis('on Redis', 1);

/** Where one node is enough to see what a story is about. */
export const CLUSTERS: readonly ClusterKind[] = [memory, redisOneNode];

/** Where it matters that two clients may be on two nodes. */
export const CLUSTERS_OF_NODES: readonly ClusterKind[] = [
  memory,
  redisOneNode,
  redis('on Redis with two nodes', 2),
];

/** The engines that change masters, for a selection of what runs on one Redis. */
export const CLUSTERS_OF_MASTERS: readonly ClusterKind[] = [sentinel, redisCluster];

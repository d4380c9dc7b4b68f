import type { ConnectionOptions } from 'node:tls';
import { Cluster, Redis } from 'ioredis';
import { parseRedisUrl, type RedisAddress, type RedisTarget } from '../../domain/redis-url.ts';
import type { RedisSettings } from './redis-connections.ts';
import { connectorTo, type RedisHome } from './redis-home.ts';

/** The longest pause between two attempts to connect, in milliseconds. */
const MAX_BACKOFF_MS = 1000;

/** 50 ms doubled for each attempt, at most a second, jittered by half so that nodes do not return in step. */
export function backoffMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 10), MAX_BACKOFF_MS) * (0.5 + Math.random() / 2);
}

/**
 * An ioredis client that fails fast. Its own ways to bridge an outage are all off: the automatic resubscribe has
 * no catch (NOPERM there would end the process), a resend could publish twice, an offline queue has no bound.
 * @param home where the one Redis is that a Sentinel or a Cluster has us talk to; null: at the URL's host
 */
export function createClient(settings: RedisSettings, name: string, home: RedisHome | null): Redis {
  const target = parseRedisUrl(settings.url);
  return new Redis({
    ...commonOptions(settings, target, name),
    ...credentials(target.username, target.password),
    ...(home === null ? target.nodes[0] : {}),
    Connector: connectorTo(home),
    db: target.db,
    enableOfflineQueue: false,
    retryStrategy: backoffMs,
  });
}

/** For one question to a Sentinel or a Cluster's node. Its end is the caller's. */
export function createAsker(settings: RedisSettings, target: RedisTarget, address: RedisAddress): Redis {
  const isSentinel = target.kind === 'sentinel';
  return new Redis({
    ...commonOptions(settings, target, 'yamabiko-asks'),
    ...address,
    // A Sentinel has users of its own; those of Redis are none of its business.
    ...(isSentinel
      ? credentials(target.sentinelUsername, target.sentinelPassword)
      : credentials(target.username, target.password)),
    // Sentinel has no INFO that this check understands, and a node that loads its data may well say where others are.
    enableReadyCheck: false,
    retryStrategy: () => null,
  });
}

/** A client of a whole Cluster for commands with keys; connects by `connect()`. It never subscribes. */
export function createCluster(settings: RedisSettings): Cluster {
  const target = parseRedisUrl(settings.url);
  return new Cluster([...target.nodes], {
    redisOptions: {
      ...commonOptions(settings, target, 'yamabiko-command'),
      ...credentials(target.username, target.password),
    },
    enableOfflineQueue: false,
    lazyConnect: true,
    clusterRetryStrategy: backoffMs,
    slotsRefreshTimeout: settings.commandTimeoutMs,
    // A command is never sent again: what timed out may have taken effect.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    // A certificate names hosts, not what a look-up makes of them.
    dnsLookup: (address, callback) => callback(null, address),
  });
}

function commonOptions(settings: RedisSettings, target: RedisTarget, name: string) {
  const { commandTimeoutMs } = settings;
  return {
    ...(target.tls ? { tls: tlsOptions(settings) } : {}),
    connectionName: name,
    commandTimeout: commandTimeoutMs,
    connectTimeout: commandTimeoutMs,
    // Half-open connections never answer our FIN.
    disconnectTimeout: 500,
    maxLoadingRetryTime: 500,
    maxRetriesPerRequest: 0,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    disableClientInfo: true,
    lazyConnect: true,
    Connector: connectorTo(null),
  };
}

function credentials(username: string | null, password: string | null) {
  return {
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
  };
}

export function tlsOptions({ tlsCa, tlsCert, tlsKey, tlsServername }: RedisSettings): ConnectionOptions {
  return {
    ...(tlsCa ? { ca: tlsCa } : {}),
    ...(tlsCert ? { cert: tlsCert } : {}),
    ...(tlsKey ? { key: tlsKey } : {}),
    ...(tlsServername ? { servername: tlsServername } : {}),
  };
}

import { expect } from 'vitest';
import { neededRights } from '../../server/broker/redis/redis-refused.ts';
import type { RedisServer } from '../support/redis-server.ts';
import { until } from './heard.ts';
import { LogNode } from './log-node.ts';

export interface NamedRights {
  /** Words of `ACL SETUSER`, for every Redis. */
  readonly ofRedis: readonly string[];
  /** The same for every Sentinel. */
  readonly ofSentinel: readonly string[];
}

/** What a refusal tells an operator to grant, as commands take it: nothing more, nothing left out. */
export function namedRights(url: string, prefix: string): NamedRights {
  const rights = neededRights({ url, prefix, broadcastPrefix: prefix });
  const [redis = '', sentinel = ''] = rights.split('its sentinelUser');
  return { ofRedis: wordsOf(redis), ofSentinel: wordsOf(sentinel) };
}

function wordsOf(text: string): string[] {
  return ['reset', 'on', '>pw', ...(text.match(/[+~&][^\s,;]+/g) ?? [])];
}

/** A log needs some rights more than what is delivered without one. */
export async function keepsALog(url: string, prefix: string): Promise<void> {
  const node = await new LogNode({ url, prefix, commandTimeoutMs: 15_000 }).start();
  try {
    await until(() => node.bus.ready(), 'ready');
    await node.bus.publish('broadcast', 'kept');
    expect(await node.heard.payloads('broadcast', 1)).toEqual(['kept']);
    expect(node.bus.position()).not.toBeNull();
    expect(node.unfit).toEqual([]);
  } finally {
    await node.stop();
  }
}

/**
 * ioredis asks for them too, and needs none: a connection's name, which only CLIENT LIST shows, and of a Cluster's
 * replicas that they answer reads, which it never sends them.
 */
const OPTIONAL = ['client|setname', 'readonly', 'readwrite'];

/** What was denied there that is needed. */
export async function deniedAt({ client }: RedisServer): Promise<string[]> {
  const log = (await client.call('ACL', 'LOG')) as string[][];
  const denied = log.map((entry) => String(entry[entry.indexOf('object') + 1]));
  return denied.filter((object) => !OPTIONAL.includes(object));
}

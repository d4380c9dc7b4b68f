import { randomUUID } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { RedisServer } from '../support/redis-server.ts';
import { until } from './heard.ts';
import { LogNode } from './log-node.ts';

const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

/** Redis takes every PUBLISH then, so that Laravel sees nothing wrong. */
it('The log goes on in a Redis that is full and evicts nothing, and begins a new epoch where it must', async () => {
  const redis = await RedisServer.start(['--maxmemory-policy', 'noeviction']);
  ended.push(() => redis.stop());
  const prefix = `${randomUUID()}:`;
  const node = await new LogNode({ url: redis.url, prefix }).start();
  ended.push(() => node.stop());
  await until(() => node.bus.ready(), 'ready');
  await node.bus.follow('chat');

  await redis.client.config('SET', 'maxmemory', '1');
  await expect(redis.client.set('x', 1)).rejects.toThrow('OOM');
  for (let n = 1; n <= 20; n++) await redis.client.publish(`${prefix}chat`, String(n));
  await until(() => node.heard.on('chat').length === 20, 'all is heard');

  // In one write: Redis comes to the second before anybody can listen anew.
  await redis.client
    .pipeline()
    .call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    .publish(`${prefix}chat`, 'lost')
    .exec();
  await until(() => node.heard.gaps.length > 0, 'the gap is told');
  await redis.client.publish(`${prefix}chat`, 'after');
  await until(() => node.heard.on('chat').at(-1) === 'after', 'what comes after is heard');
  expect(node.heard.gaps).toEqual(['log_restarted']);
});

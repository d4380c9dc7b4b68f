import type { Redis } from 'ioredis';
import { homeKey } from '../../../broker/redis/redis-locate.ts';
import { neededRights } from '../../../broker/redis/redis-refused.ts';
import { type Check, fault, ok, type Surroundings, warning } from '../check.ts';

interface Need {
  readonly command: string;
  readonly run: (redis: Redis) => Promise<unknown>;
}

/** A channel and a key of ours that nobody else uses. */
const NAME = 'doctor';

/** Every kind of command that the server gives, once. */
function needs({ config: { redis } }: Surroundings): { readonly all: Need[]; readonly recovery: Need[] } {
  // In the slot whose master we are connected to, where Redis is a Cluster.
  const [key, channel] = [`${homeKey(redis.prefix)}:${NAME}:`, `${redis.prefix}#yamabiko:${NAME}`];
  const custom = `${redis.broadcastPrefix}broadcast`;
  // Before subscribing, since an old protocol allows nothing else afterwards; each leaves nothing behind.
  const all: Need[] = [
    { command: `PUBLISH ${channel}`, run: (r) => r.publish(channel, '') },
    { command: 'PUBSUB NUMSUB', run: (r) => r.pubsub('NUMSUB', channel) },
    { command: 'TIME', run: (r) => r.time() },
    { command: 'EVAL', run: (r) => r.eval('return redis.call("time")', 0) },
    { command: `HSET ${key}`, run: (r) => r.hset(`${key}h`, 'a', '1') },
    { command: `SADD ${key}`, run: (r) => r.sadd(`${key}s`, 'a') },
    { command: `ZADD ${key}`, run: (r) => r.zadd(`${key}z`, 1, 'a') },
    { command: `SET ${key}`, run: (r) => r.set(`${key}t`, 'a', 'PX', 1_000) },
    { command: `EXPIRE ${key}`, run: (r) => r.expire(`${key}t`, 1) },
    { command: `DEL ${key}`, run: (r) => r.del(`${key}h`, `${key}s`, `${key}z`, `${key}t`, `${key}x`) },
    { command: `SUBSCRIBE ${channel}`, run: (r) => r.subscribe(channel) },
    { command: `SUBSCRIBE ${custom}`, run: (r) => r.subscribe(custom) },
  ];
  const pattern = `${redis.prefix.replaceAll(/[\\*?[\]]/g, '\\$&')}*`;
  const recovery: Need[] = [
    { command: `XADD ${key}`, run: (r) => r.xadd(`${key}x`, 'MAXLEN', 1, '*', 'a', '1') },
    { command: `XRANGE ${key}`, run: (r) => r.xrange(`${key}x`, '-', '+', 'COUNT', 1) },
    { command: `PSUBSCRIBE ${pattern}`, run: (r) => r.psubscribe(pattern) },
  ];
  return { all, recovery };
}

/** What the ACL user may not do; the server itself names only the first thing that it misses. */
export const redisRightsCheck: Check = {
  name: 'redis rights',
  run: async (about) => {
    const { redis, config } = about;
    if (redis === null || config.redis.url === null) return [];
    const settings = { ...config.redis, url: config.redis.url };
    const { all, recovery } = needs(about);
    const client = redis.duplicate();
    client.on('error', () => {});
    try {
      await client.connect();
      const deniedRecovery = config.recovery.enabled ? await denied(client, recovery) : [];
      const deniedAll = await denied(client, all);
      if (deniedAll.length > 0)
        return [fault(`the user may not ${deniedAll.join(', ')}`, `it needs ${neededRights(settings)}`)];
      return deniedRecovery.length === 0
        ? [ok('the user may do all that the server does')]
        : [
            warning(
              `the user may not ${deniedRecovery.join(', ')}: no history is kept, and a client that was away misses events`,
              `it needs ${neededRights(settings)}; or set YAMABIKO_RECOVERY=off`,
            ),
          ];
    } finally {
      client.disconnect();
    }
  },
};

async function denied(client: Redis, needed: readonly Need[]): Promise<string[]> {
  const refused: string[] = [];
  for (const { command, run } of needed)
    try {
      await run(client);
    } catch (error) {
      if (!/NOPERM|can't run|can't access/.test((error as Error).message)) throw error;
      refused.push(command);
    }
  return refused;
}

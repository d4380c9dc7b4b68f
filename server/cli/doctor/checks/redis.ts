import { maskRedisUrl } from '../../../domain/redis-url.ts';
import { type Check, fault, note, ok } from '../check.ts';
import { openRedis } from '../open-redis.ts';

/** Whether it is reachable, with this user and password. */
export const redisCheck: Check = {
  name: 'redis',
  run: async ({ config: { redis: settings }, redis }) => {
    if (settings.url === null)
      return [
        note(
          'none is set: one node, and nothing of what Laravel writes to Redis arrives',
          'set YAMABIKO_REDIS_URL',
        ),
      ];
    const at = maskRedisUrl(settings.url);
    if (redis === null) return [await reasonOf({ ...settings, url: settings.url }, at)];
    const info = await redis.info('server').catch(() => '');
    const version = /redis_version:(\S+)/.exec(info)?.[1] ?? '(its version is hidden)';
    return [ok(`Redis ${version} answers at ${at}`)];
  },
};

async function reasonOf(settings: Parameters<typeof openRedis>[0], at: string) {
  const opened = await openRedis(settings);
  if ('redis' in opened) {
    opened.redis.disconnect();
    return ok(`Redis answers at ${at}, at the second attempt`);
  }
  const { refused, reason } = opened;
  return refused
    ? fault(reason, 'correct user and password in YAMABIKO_REDIS_URL, as user:password@ before the host')
    : fault(
        `nothing answers at ${at} (${reason})`,
        'start Redis, or correct YAMABIKO_REDIS_URL (rediss:// for TLS)',
      );
}

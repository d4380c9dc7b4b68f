import type { Redis } from 'ioredis';
import { createRedis, type RedisSettings } from '../../broker/redis/redis-connections.ts';
import { neededRights, refusalOf } from '../../broker/redis/redis-refused.ts';

export type OpenedRedis = { readonly redis: Redis } | { readonly refused: boolean; readonly reason: string };

/** Connects once, and says what kept it from that. */
export async function openRedis(settings: RedisSettings): Promise<OpenedRedis> {
  const redis = createRedis(settings, 'yamabiko-doctor');
  let failure: unknown = null;
  redis.on('error', (error: unknown) => {
    failure ??= error;
  });
  try {
    await redis.connect();
    await redis.ping().catch((error: Error) => {
      // The right to PING is none that the server needs.
      if (!error.message.startsWith('NOPERM')) throw error;
    });
    return { redis };
  } catch (error) {
    redis.disconnect();
    const cause = failure ?? error;
    const refusal = refusalOf(cause, neededRights(settings));
    if (refusal !== null) return { refused: true, reason: refusal.message };
    const { code, message } = cause as { code?: string; message?: string };
    return { refused: false, reason: code ?? message ?? 'no reason given' };
  }
}

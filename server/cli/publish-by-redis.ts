import { createRedis, type RedisSettings } from '../broker/redis/redis-connections.ts';
import { neededRights, refusalOf } from '../broker/redis/redis-refused.ts';
import { CommandError } from './command-error.ts';
import { laravelPayload, type Publication } from './laravel-publication.ts';

/** Publishes once, and says who heard it: a wrong prefix shows here as nobody. */
export async function publishByRedis(publication: Publication, settings: RedisSettings): Promise<string> {
  const { prefix, broadcastPrefix } = settings;
  const channel =
    publication.event === null ? `${broadcastPrefix}broadcast` : `${prefix}${publication.channel}`;
  const redis = createRedis(settings, 'yamabiko-publish');
  // Without a listener ioredis writes the error to the terminal itself; connect() rejects with it anyway.
  let failure: unknown = null;
  redis.on('error', (error: unknown) => {
    failure ??= error;
  });
  try {
    await redis.connect();
    const receivers = await redis.publish(channel, laravelPayload(publication));
    return receivers === 0
      ? `published on ${channel}, but nobody listens there: is a server running on this Redis, with this prefix?`
      : `published on ${channel}, heard by ${receivers}`;
  } catch (error) {
    throw new CommandError(failureText(failure ?? error, settings), undefined, { cause: error });
  } finally {
    redis.disconnect();
  }
}

function failureText(error: unknown, settings: RedisSettings): string {
  const refusal = refusalOf(error, neededRights(settings));
  if (refusal !== null) return refusal.message;
  const { code, message } = error as { code?: string; message?: string };
  return `Redis of YAMABIKO_REDIS_URL does not answer (${code ?? message ?? 'no reason given'})`;
}

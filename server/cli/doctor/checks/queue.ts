import { type Check, warning } from '../check.ts';

/** Laravel's queue in this Redis, if it is there: jobs that nobody takes are events that never come. */
export const queueCheck: Check = {
  name: 'queue',
  run: async ({ redis, config, sample, laravelEnv }) => {
    if (redis === null) return [];
    const queue = laravelEnv?.REDIS_QUEUE ?? 'default';
    const key = `${config.redis.prefix}queues:${queue}`;
    // Denied, or of another type: then nothing can be said.
    const waiting = () => redis.llen(key).catch(() => 0);
    const before = await waiting();
    if (before === 0) return [];
    await sample().catch(() => null);
    const after = await waiting();
    return after < before
      ? []
      : [
          warning(
            `${after} jobs wait in the queue ${queue} and none was taken while it listened`,
            'run `php artisan queue:work` (events that implement ShouldBroadcast go through the queue)',
          ),
        ];
  },
};

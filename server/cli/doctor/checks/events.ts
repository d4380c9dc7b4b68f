import type { ChannelSample } from '../../../broker/strays/sample-channels.ts';
import { type Check, type Finding, fault, note, ok, warning } from '../check.ts';

const quoted = (prefix: string) => (prefix === '' ? "'' (empty)" : `\`${prefix}\``);

/** Whether Laravel's events come, and under the prefix that is listened to. */
export const eventsCheck: Check = {
  name: 'events',
  run: async ({ redis, sample, config, laravelEnv }) => {
    if (redis === null) return [];
    let heard: ChannelSample;
    try {
      heard = await sample();
    } catch (error) {
      if (!(error as Error).message.startsWith('NOPERM')) throw error;
      return [
        note(
          'Redis lets this user not listen to all channels, so a wrong prefix cannot be seen',
          'run it once with a user that may: YAMABIKO_REDIS_URL=.. yamabiko doctor',
        ),
      ];
    }
    const ours = [...heard.own.values()].reduce((sum, count) => sum + count, 0);
    return [
      ...strayFindings(heard, config.redis.prefix, ours),
      ...(ours > 0 ? [came(heard, ours)] : silence(heard, laravelEnv)),
    ];
  },
};

function came({ own }: ChannelSample, count: number): Finding {
  const [channel = ''] = own.keys();
  return ok(`${count} events came under the prefix, for example on ${channel}`);
}

function strayFindings({ strays }: ChannelSample, prefix: string, ours: number): Finding[] {
  return strays.map(({ prefix: theirs, count, channel }) => {
    const where = theirs === null ? `on ${channel}` : `under ${quoted(theirs)}`;
    const says = `${count} events arrive ${where}, your prefix is ${quoted(prefix)}`;
    const cure =
      theirs === null
        ? "set YAMABIKO_REDIS_PREFIX to Laravel's database.redis.options.prefix"
        : `set YAMABIKO_REDIS_PREFIX=${theirs}`;
    // Two apps may share a Redis: then the other's events are not ours to hear.
    return ours > 0 ? warning(`${says}: another app's?`, cure) : fault(says, cure);
  });
}

function silence({ strays }: ChannelSample, laravelEnv: object | null): Finding[] {
  if (strays.length > 0) return [];
  return [
    warning(
      'nothing was published while it listened (--listen <seconds> listens longer)',
      `send an event meanwhile; if it does not come: is \`php artisan queue:work\` running, is BROADCAST_CONNECTION (BROADCAST_DRIVER up to Laravel 10) redis and not log, does Laravel use this Redis${laravelEnv === null ? '? --laravel <folder> looks into its .env' : '?'}`,
    ),
  ];
}

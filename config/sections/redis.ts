import { integer, text, url } from '../kinds.ts';

const PREFIX = {
  pattern: /^[^\s\p{Cc}]*$/u,
  allowed: 'text without white space (may be empty)',
  emptyIsValue: true,
};

export const redisSettings = {
  url: url({
    env: 'YAMABIKO_REDIS_URL',
    default: null,
    defaultText: 'none: in-memory bus, one node',
    protocols: ['redis:', 'rediss:'],
    secret: true,
    doc: 'Redis that Laravel writes to, `redis://[[user]:password@]host:port[/db]`, `rediss://` for TLS. Without it nothing from Laravel arrives but by HTTP.',
  }),
  prefix: text({
    ...PREFIX,
    env: 'YAMABIKO_REDIS_PREFIX',
    flag: '--redis-prefix <text>',
    default: 'laravel_database_',
    doc: "Laravel's `database.redis.options.prefix`. Up to Laravel 12 it is made of APP_NAME as `laravel_database_`, from 13 as `laravel-database-`. A wrong prefix means that no event arrives.",
  }),
  broadcastPrefix: text({
    ...PREFIX,
    env: 'YAMABIKO_BROADCAST_PREFIX',
    default: null,
    defaultText: 'as `redis.prefix`',
    doc: "Prefix of the custom channel `broadcast`, where it differs: Laravel's broadcaster uses the option's prefix, `Redis::publish` the connection's own.",
  }),
  commandTimeoutMs: integer({
    env: 'YAMABIKO_REDIS_COMMAND_TIMEOUT_MS',
    unit: 'ms',
    default: 2_000,
    min: 50,
    max: 60_000,
    doc: 'A command that Redis has not answered by then is refused as `unavailable`. A subscribe makes two, so clients hear a no within 4 s.',
  }),
  nodeTtlMs: integer({
    env: 'YAMABIKO_NODE_TTL_MS',
    unit: 'ms',
    default: 10_000,
    min: 200,
    max: 3_600_000,
    doc: 'Members of a node that died leave on the other nodes within this time. Shorter shows it sooner, but takes a slow node for a dead one.',
  }),
  unfollowDelayMs: integer({
    env: 'YAMABIKO_UNFOLLOW_DELAY_MS',
    unit: 'ms',
    default: 2_000,
    min: 0,
    max: 600_000,
    doc: 'How long a Redis channel stays subscribed after its last subscriber here left, since a page that reloads is back at once.',
  }),
  probeIntervalMs: integer({
    env: 'YAMABIKO_PROBE_INTERVAL_MS',
    unit: 'ms',
    default: 1_000,
    min: 50,
    max: 60_000,
    doc: 'How often a probe is published and must come back: a connection to Redis can be open and yet deaf after a failover.',
  }),
} as const;

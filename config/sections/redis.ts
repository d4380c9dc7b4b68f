import { z } from 'zod';
import {
  maskRedisUrl,
  parseRedisUrl,
  REDIS_URL_ALLOWED,
  RedisUrlError,
} from '../../server/domain/redis-url.ts';
import { integer, setting, showText, text } from '../kinds.ts';

const PREFIX = {
  pattern: /^[^\s\p{Cc}]*$/u,
  allowed: 'text without white space (may be empty)',
  emptyIsValue: true,
};

/** What is wrong with a URL in its own words, which show nothing of it. */
const redisUrl = z
  .string()
  .trim()
  .superRefine((value, context) => {
    try {
      parseRedisUrl(value);
    } catch (error) {
      if (!(error instanceof RedisUrlError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  });

/** A PEM file; its text is read by `redis-tls.ts`. */
const pemFile = (row: { env: string; doc: string; secret?: boolean }) =>
  setting<string | null, null>(
    { ...row, default: null, defaultText: 'none' },
    {
      kind: 'PEM file',
      allowed: 'the path of a PEM file',
      schema: z.string().trim().min(1),
      show: (value) => (value === null ? null : row.secret ? '***' : showPem(value)),
      showRaw: (raw) => (row.secret ? '***' : showText(raw)),
    },
  );

const showPem = (value: string) => (value.includes('-----') ? '(PEM text)' : value);

export const redisSettings = {
  url: setting<string | null, null>(
    {
      env: 'YAMABIKO_REDIS_URL',
      default: null,
      defaultText: 'none: in-memory bus, one node',
      secret: true,
      doc: 'Redis that Laravel writes to: `redis://[[user]:password@]host:port[/db]`; by Sentinel `redis+sentinel://[..@]host:port,host:port/master[?db=..&sentinelUser=..&sentinelPassword=..]`; a Redis Cluster `redis+cluster://[..@]host:port,host:port`; `rediss`, `rediss+sentinel`, `rediss+cluster` for TLS. Without it nothing from Laravel arrives but by HTTP.',
    },
    {
      kind: 'URL',
      allowed: REDIS_URL_ALLOWED,
      schema: redisUrl,
      tellsParts: true,
      show: (value) => (value === null ? null : maskRedisUrl(value)),
    },
  ),
  tlsCa: pemFile({
    env: 'YAMABIKO_REDIS_TLS_CA',
    doc: 'PEM file with the authority that signed the certificate of Redis, where it is none that everybody knows.',
  }),
  tlsCert: pemFile({
    env: 'YAMABIKO_REDIS_TLS_CERT',
    doc: 'PEM file with our own certificate, where Redis wants one (`tls-auth-clients`).',
  }),
  tlsKey: pemFile({
    env: 'YAMABIKO_REDIS_TLS_KEY',
    secret: true,
    doc: 'PEM file with the private key of `tlsCert`.',
  }),
  tlsServername: text({
    env: 'YAMABIKO_REDIS_TLS_SERVERNAME',
    default: null,
    defaultText: 'the host of the URL',
    pattern: /^[A-Za-z0-9.-]{1,253}$/,
    allowed: 'a host name',
    doc: 'Name that the certificate of Redis must bear, where it is not the host: Sentinel and Redis Cluster often name their nodes by address.',
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

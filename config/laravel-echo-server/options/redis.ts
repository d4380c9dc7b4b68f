import {
  always,
  changed,
  dropped,
  type Fate,
  isObject,
  kept,
  type OldConfig,
  type OldOption,
  wrong,
} from '../old-option.ts';
import { redisUrlOf } from '../redis-url-of.ts';

const at = (name: string) => `databaseConfig.redis.${name}`;
const inUrl = (name: string) => always(at(name), kept({}, 'in redis.url'));
const ours = (name: string) =>
  always(at(name), dropped('how it connects, waits and retries is settled here'));

/** Names that ioredis 4 takes and that change nothing that anybody sees. */
const IOREDIS_HABITS = [
  'family,keepAlive,noDelay,connectionName,connectTimeout,disconnectTimeout,maxRetriesPerRequest',
  'autoResubscribe,autoResendUnfulfilledCommands,enableOfflineQueue,enableReadyCheck,lazyConnect,readOnly',
  'stringNumbers,dropBufferSupport,showFriendlyErrorStack,maxLoadingRetryTime,enableAutoPipelining',
  'autoPipeliningIgnoredCommands,maxScriptsCachingTime,updateSentinels,failoverDetector,preferredSlaves',
  'sentinelMaxConnections,sentinelCommandTimeout,retryStrategy,reconnectOnError',
].flatMap((names) => names.split(','));

/** The Redis that Laravel writes to, in ioredis' options. */
export const redisOptions: readonly OldOption[] = [
  {
    path: 'databaseConfig.redis',
    given: (_value, old) => redis(old),
    absent: (old) => redis(old),
  },
  ...['host', 'port', 'db', 'username', 'password'].map(inUrl),
  ...['sentinels', 'sentinelUsername', 'sentinelPassword', 'enableTLSForSentinelMode', 'sentinelTLS'].map(
    inUrl,
  ),
  {
    path: at('name'),
    given: (_value, old) =>
      old.get(at('sentinels')) === undefined ? dropped('only Sentinel needs it') : kept({}, 'in redis.url'),
  },
  { path: at('keyPrefix'), given: () => kept({}, 'redis.prefix') },
  { path: at('tls'), given: (value) => tls(value) },
  always(
    at('path'),
    wrong('names a Unix socket, which is not supported: take it out and set host and port of Redis'),
  ),
  {
    path: at('role'),
    given: (value) =>
      value === 'master' ? kept({}, 'the only way here') : changed('the master is read, not a replica'),
  },
  always(at('natMap'), changed('not taken over: the Sentinels must name addresses that can be reached')),
  { path: at('commandTimeout'), given: (value) => kept({ 'redis.commandTimeoutMs': value }) },
  ...IOREDIS_HABITS.map(ours),
];

function redis(old: OldConfig): Fate {
  const heard = old.get('subscribers') === undefined || old.get('subscribers.redis') === true;
  if (!heard) return kept({}, 'subscribers.redis is off: Redis is not used, and this is one node');
  const url = redisUrlOf(old);
  if (typeof url !== 'string') return url;
  const prefix = old.text(at('keyPrefix')) ?? '';
  const servername = tlsPart(old.get(at('tls')), 'servername');
  return kept(
    {
      'redis.url': url,
      'redis.prefix': prefix,
      ...(typeof servername === 'string' && { 'redis.tlsServername': servername }),
    },
    prefix === '' ? 'no keyPrefix: channels are taken as Redis names them' : '',
  );
}

function tls(value: unknown): Fate {
  const differences: string[] = [];
  if (['ca', 'cert', 'key'].some((name) => tlsPart(value, name) !== undefined))
    differences.push(
      'ca, cert and key are not taken over: write them to files and set YAMABIKO_REDIS_TLS_CA, _CERT, _KEY',
    );
  if (tlsPart(value, 'rejectUnauthorized') === false)
    differences.push('the certificate of Redis is verified now: YAMABIKO_REDIS_TLS_CA names its authority');
  return differences.length === 0 ? kept({}, 'in redis.url (rediss)') : changed(differences.join('; '));
}

function tlsPart(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}

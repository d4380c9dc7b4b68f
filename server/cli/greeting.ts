import type { Config } from '../../config/settings.ts';
import { maskRedisUrl } from '../domain/redis-url.ts';

/** What the terminal says when the server listens. Never a secret. */
export function greeting(config: Config, url: string, version: string): string {
  const lines = [
    '',
    `  Yamabiko ${version} runs at ${url}${config.development ? ' (development mode)' : ''}`,
    '',
    `  bus       ${busText(config)}`,
    `  recovery  ${recoveryText(config)}`,
  ];
  if (config.development) lines.push(`  demo      ${url.replace(/\/$/, '')}/demo`, '', ...missing(config));
  return `${lines.join('\n')}\n\n`;
}

/** The same facts as fields of a log line. */
export function greetingFields(config: Config, url: string, version: string): object {
  const bus = config.redis.url === null ? 'memory' : 'redis';
  return { url, version, bus, recovery: config.recovery.enabled };
}

function busText({ redis }: Config): string {
  if (redis.url === null) return 'in memory: this one node, and nothing from Redis';
  return `Redis at ${maskRedisUrl(redis.url)}, prefix ${redis.prefix === '' ? '(empty)' : redis.prefix}`;
}

function recoveryText({ recovery: { enabled, historyMs, source }, redis }: Config): string {
  if (!enabled) return 'off: events that a client misses while it is away are lost';
  const place = redis.url === null ? "this process's memory" : 'a log in Redis';
  const heard = redis.url !== null && source === 'replication' ? ', heard by the replication stream' : '';
  return `on: what a client misses is kept for ${historyMs / 1000} s in ${place}${heard}`;
}

function missing({ redis, auth, http }: Config): string[] {
  const wanted: [boolean, string, string][] = [
    [true, 'YAMABIKO_JWT_SECRET', 'the secret that Laravel signs tokens with; now random for this run'],
    [redis.url === null, 'YAMABIKO_REDIS_URL', 'the Redis that Laravel broadcasts to'],
    [auth.url === null, 'YAMABIKO_AUTH_URL', "Laravel's /broadcasting/auth; now the demo answers"],
    [http.apps.length === 0, 'YAMABIKO_APPS', 'id:key, if the HTTP API is used'],
  ];
  const width = Math.max(...wanted.map(([, name]) => name.length));
  return [
    '  Missing for production (with NODE_ENV=production):',
    ...wanted.filter(([lacks]) => lacks).map(([, name, why]) => `    ${name.padEnd(width)}  ${why}`),
  ];
}

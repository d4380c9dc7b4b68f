import { type Check, type Finding, fault, ok, warning } from '../check.ts';

type Env = Readonly<Record<string, string>>;

/** What Laravel's own `.env` says that it will do. */
export const laravelEnvCheck: Check = {
  name: 'laravel .env',
  run: async ({ laravelEnv: env, config }) => {
    if (env === null) return [];
    const findings = [...driver(env), ...prefixes(env, config.redis.prefix)];
    return findings.length > 0 ? findings : [ok('it broadcasts by Redis, under our prefix')];
  },
};

function driver(env: Env): Finding[] {
  const name = env.BROADCAST_CONNECTION !== undefined ? 'BROADCAST_CONNECTION' : 'BROADCAST_DRIVER';
  const value = env[name];
  if (value === 'redis') return [];
  if (value === undefined)
    return [
      fault(
        'it names no broadcaster, so Laravel uses log or null',
        'set BROADCAST_CONNECTION=redis (BROADCAST_DRIVER up to Laravel 10)',
      ),
    ];
  return [
    fault(
      `${name}=${value}: events do not go to Redis`,
      `set ${name}=redis, run \`php artisan config:clear\`, restart the queue workers`,
    ),
  ];
}

/** As config/database.php makes it of APP_NAME: up to Laravel 12, and from 13 on. */
function prefixes(env: Env, ours: string): Finding[] {
  const given = env.REDIS_PREFIX;
  if (given !== undefined)
    return given === ours
      ? []
      : [
          fault(
            `REDIS_PREFIX=${given}, your prefix is ${ours || "''"}`,
            `set YAMABIKO_REDIS_PREFIX=${given}`,
          ),
        ];
  const app = env.APP_NAME ?? 'Laravel';
  const likely = [`${slug(app, '_')}_database_`, `${slug(app, '-')}-database-`];
  return likely.includes(ours)
    ? []
    : [
        warning(
          `APP_NAME=${app} makes the prefix ${likely.join(' (up to Laravel 12) or ')}, yours is ${ours || "''"}`,
          `set YAMABIKO_REDIS_PREFIX, unless config/database.php says otherwise`,
        ),
      ];
}

/** `Str::slug`, as far as names in ASCII go. */
function slug(text: string, separator: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[-_\s]+/g, separator)
    .replaceAll(new RegExp(`[^${separator}a-z0-9]`, 'g'), '')
    .replaceAll(new RegExp(`^${separator}+|${separator}+$`, 'g'), '');
}

import { type Fate, isObject, type OldConfig, wrong } from './old-option.ts';

const at = (name: string) => `databaseConfig.redis.${name}`;
const coded = encodeURIComponent;

/** The address of Redis as one URL (`redis-url.ts`), made of ioredis' options. */
export function redisUrlOf(old: OldConfig): string | Fate {
  const whole = old.text('databaseConfig.redis');
  if (whole !== undefined) return whole;
  const sentinels = old.get(at('sentinels'));
  const tls = old.get(at('tls')) !== undefined && old.get(at('tls')) !== false;
  const scheme = `redis${tls ? 's' : ''}`;
  const login = loginOf(textOf(old, 'username'), textOf(old, 'password'));
  const db = textOf(old, 'db');
  if (sentinels !== undefined) return sentinelUrl(old, { scheme, login, db }, sentinels);
  const host = bracketed(textOf(old, 'host') ?? '127.0.0.1');
  const path = db === undefined || db === '0' ? '' : `/${coded(db)}`;
  return `${scheme}://${login}${host}:${textOf(old, 'port') ?? '6379'}${path}`;
}

interface Parts {
  readonly scheme: string;
  readonly login: string;
  readonly db: string | undefined;
}

function sentinelUrl(old: OldConfig, { scheme, login, db }: Parts, sentinels: unknown): string | Fate {
  const nodes = Array.isArray(sentinels) ? sentinels.map(nodeOf) : [];
  if (nodes.length === 0 || nodes.includes(null))
    return wrong('has sentinels that are no list of {"host": .., "port": ..}');
  const master = textOf(old, 'name');
  if (master === undefined) return wrong('has sentinels, but no name of the master that they know');
  const options = [
    ['db', db === '0' ? undefined : db],
    ['sentinelUser', textOf(old, 'sentinelUsername')],
    ['sentinelPassword', textOf(old, 'sentinelPassword')],
  ].flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${coded(value)}`]));
  const query = options.length === 0 ? '' : `?${options.join('&')}`;
  return `${scheme}+sentinel://${login}${nodes.join(',')}/${coded(master)}${query}`;
}

function nodeOf(node: unknown): string | null {
  if (!isObject(node) || typeof node.host !== 'string' || node.host === '') return null;
  return `${bracketed(node.host)}:${String(node.port ?? 26_379)}`;
}

function loginOf(username: string | undefined, password: string | undefined): string {
  if (username === undefined && password === undefined) return '';
  return `${coded(username ?? '')}:${coded(password ?? '')}@`;
}

/** An IPv6 address has colons of its own. */
function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function textOf(old: OldConfig, name: string): string | undefined {
  const value = old.get(at(name));
  return value === undefined ? undefined : String(value);
}

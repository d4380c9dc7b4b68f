/** One process of Redis, Sentinel or Redis Cluster. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** What a Redis URL says. */
export interface RedisTarget {
  readonly kind: 'single' | 'sentinel' | 'cluster';
  readonly tls: boolean;
  /** The Redis itself, the Sentinels to ask, or some nodes of the Cluster. */
  readonly nodes: readonly RedisAddress[];
  readonly username: string | null;
  readonly password: string | null;
  readonly db: number;
  /** The name under which Sentinel knows the master; empty for the other kinds. */
  readonly master: string;
  readonly sentinelUsername: string | null;
  readonly sentinelPassword: string | null;
}

const SCHEMES = ['redis://', 'rediss://', 'redis+sentinel://', 'redis+cluster://'] as const;
/** For "must be ..." in messages. */
export const REDIS_URL_ALLOWED = `a whole URL that begins with ${SCHEMES.join(', ')} (or rediss+ for TLS)`;

const URL_PARTS =
  /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^/?#]*)@)?([^/?#@]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/i;
const NODE = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\],]+))(?::(\d{1,5}))?$/i;
const DEFAULT_PORTS = { single: 6379, sentinel: 26_379, cluster: 6379 } as const;
const OPTIONS = { single: ['db'], sentinel: ['db', 'sentinelUser', 'sentinelPassword'], cluster: [] };
const MAX_DB = 16_383;

export class RedisUrlError extends Error {
  override readonly name = 'RedisUrlError';
}

/**
 * `redis://[[user]:password@]host[:port][/db]`, `redis+sentinel://[..@]h1[:p1],h2[:p2]/master[?db=..]`,
 * `redis+cluster://[..@]h1[:p1],h2[:p2]`; with `rediss` in place of `redis` for TLS.
 * @throws RedisUrlError whose message goes on after the setting's name and shows nothing of the URL
 */
export function parseRedisUrl(url: string): RedisTarget {
  const parts = URL_PARTS.exec(url.trim());
  if (parts === null) throw new RedisUrlError(`must be ${REDIS_URL_ALLOWED}`);
  const [, scheme = '', suffix, credentials, hosts = '', path = '', query = ''] = parts;
  const kind = (suffix?.toLowerCase() ?? 'single') as RedisTarget['kind'];
  const nodes = hosts.split(',').map((host) => parseNode(host, DEFAULT_PORTS[kind]));
  if (kind === 'single' && nodes.length > 1)
    throw new RedisUrlError('names several hosts: begin it with redis+sentinel:// or redis+cluster://');
  const options = parseOptions(query, OPTIONS[kind]);
  return {
    kind,
    tls: scheme.toLowerCase() === 'rediss',
    nodes,
    ...parseCredentials(credentials),
    db:
      kind === 'cluster' ? noDb(path) : parseDb(kind === 'single' && path !== '' ? path : options.get('db')),
    master: kind === 'sentinel' ? parseMaster(path) : '',
    sentinelUsername: options.get('sentinelUser') ?? null,
    sentinelPassword: options.get('sentinelPassword') ?? null,
  };
}

/** The URL as it may be printed: without user and passwords; `***` where it cannot be read. */
export function maskRedisUrl(url: string): string {
  const parts = URL_PARTS.exec(url.trim());
  if (parts === null) return '***';
  const [, scheme, suffix, credentials, hosts = '', path = '', query] = parts;
  // What is no host may be a password whose @ is missing, or stands behind a /.
  if (path.includes('@') || !hosts.split(',').every((host) => NODE.test(host))) return '***';
  const user = credentials === undefined ? '' : credentials.includes(':') ? '***:***@' : '***@';
  const head = `${scheme}${suffix === undefined ? '' : `+${suffix}`}://${user}${hosts}`;
  return `${head}${path === '' ? '' : `/${path}`}${query === undefined ? '' : '?***'}`;
}

function parseNode(text: string, defaultPort: number): RedisAddress {
  const [, ipv6, name, port] = NODE.exec(text) ?? [];
  const host = ipv6 ?? name;
  const portNumber = Number(port ?? defaultPort);
  if (host === undefined || portNumber < 1 || portNumber > 65_535)
    throw new RedisUrlError(
      'has a host that cannot be read: host or host:port, with commas between several; : / @ and % in a password are written %3A %2F %40 %25',
    );
  return { host, port: portNumber };
}

function parseCredentials(text: string | undefined): Pick<RedisTarget, 'username' | 'password'> {
  if (text === undefined || text === '') return { username: null, password: null };
  const colon = text.indexOf(':');
  const username = decoded(colon < 0 ? text : text.slice(0, colon));
  const password = colon < 0 ? '' : decoded(text.slice(colon + 1));
  return { username: username === '' ? null : username, password: password === '' ? null : password };
}

function parseOptions(query: string, known: readonly string[]): Map<string, string> {
  const options = new Map<string, string>();
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = equals < 0 ? pair : pair.slice(0, equals);
    // Not shown: what is misplaced here may be a password.
    if (!known.includes(name))
      throw new RedisUrlError(
        known.length === 0 ? 'takes no ?options' : `takes only the options ${known.join(', ')}`,
      );
    options.set(name, equals < 0 ? '' : decoded(pair.slice(equals + 1)));
  }
  return options;
}

function parseDb(text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  if (!/^\d{1,5}$/.test(text) || Number(text) > MAX_DB)
    throw new RedisUrlError('names a database that is no number');
  return Number(text);
}

function noDb(path: string): number {
  if (path !== '' && path !== '0')
    throw new RedisUrlError('names a database, but Redis Cluster has only the one: leave the path away');
  return 0;
}

function parseMaster(path: string): string {
  const master = decoded(path);
  if (master === '' || /[\s/]/.test(master))
    throw new RedisUrlError(
      'needs the name of the master that Sentinel knows, as in redis+sentinel://h1,h2/mymaster',
    );
  return master;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RedisUrlError('holds a % that begins no code: write %25 for %');
  }
}

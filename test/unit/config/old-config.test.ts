import { describe, expect, it } from 'vitest';
import { oldOptions, oldVariables } from '../../../config/laravel-echo-server/option-table.ts';
import { loaded, mistakesOf } from './config-folder.ts';

const FILE = 'laravel-echo-server.json';

/** What an option becomes: verdict and settings. @param rest of the file, where one option alone is contradictory */
function fateOf(path: string, value: unknown, rest: object = {}) {
  const content = structuredClone(rest) as Record<string, unknown>;
  const parts = path.split('.');
  let place = content;
  for (const part of parts.slice(0, -1)) {
    place[part] ??= {};
    place = place[part] as Record<string, unknown>;
  }
  place[parts.at(-1) ?? ''] = value;
  const { fates, config } = load(content);
  const fate = fates.find(({ option }) => option === `${path} (${FILE})`);
  if (fate === undefined) throw new Error(`nothing is said of ${path}`);
  return { ...fate, config };
}

function load(content: object, more: Parameters<typeof loaded>[0] = {}) {
  return loaded({ configFile: FILE, ...more, files: { ...more.files, [FILE]: JSON.stringify(content) } });
}

const wrongIn = (content: object, env: Record<string, string> = {}) =>
  mistakesOf({ configFile: FILE, env, files: { [FILE]: JSON.stringify(content) } });

/** As `laravel-echo-server init` writes it. */
const INITIAL = {
  authHost: 'http://localhost',
  authEndpoint: '/broadcasting/auth',
  clients: [],
  database: 'redis',
  databaseConfig: { redis: {}, sqlite: { databasePath: '/database/laravel-echo-server.sqlite' } },
  devMode: false,
  host: null,
  port: '6001',
  protocol: 'http',
  socketio: {},
  secureOptions: 67_108_864,
  sslCertPath: '',
  sslKeyPath: '',
  sslCertChainPath: '',
  sslPassphrase: '',
  subscribers: { http: true, redis: true },
  apiOriginAllow: { allowCors: false, allowOrigin: '', allowMethods: '', allowHeaders: '' },
};

describe('the file that laravel-echo-server itself writes', () => {
  it('is run as it is', () => {
    const { config } = load(INITIAL);
    expect(config.development).toBe(false);
    expect(config.server).toMatchObject({ host: '0.0.0.0', port: 6001, tlsCert: null });
    expect(config.redis).toMatchObject({ url: 'redis://127.0.0.1:6379', prefix: '', broadcastPrefix: '' });
    expect(config.auth.url).toBe('http://localhost/broadcasting/auth');
    expect(config.http).toMatchObject({ origins: ['*'], apps: [] });
    expect(config.echo).toEqual({ clientScript: '2', httpEvents: true });
  });

  it('starts in production too, where no token opens anything', () => {
    const { config } = load(INITIAL, { env: { NODE_ENV: 'production' } });
    expect(config.jwt).toMatchObject({ required: false, secrets: [] });
  });

  it('warns of what behaves differently, until a setting of ours has settled it', () => {
    expect(load(INITIAL).warnings).toEqual([expect.stringMatching(/^socketio.origins .*every site/)]);
    expect(load(INITIAL, { env: { YAMABIKO_ORIGINS: 'https://a.example' } }).warnings).toEqual([]);
  });

  it('gives way to our variables', () => {
    const { config, origins } = load(INITIAL, {
      env: { YAMABIKO_PORT: '7000', YAMABIKO_JWT_SECRET: 'x'.repeat(32) },
    });
    expect(config.server.port).toBe(7000);
    expect(config.jwt.secrets).toHaveLength(1);
    expect(origins['auth.url']).toEqual({ source: 'old file', name: `authHost (${FILE})` });
  });

  it('is known by what is in it, whatever its name', () => {
    const { config } = loaded({
      configFile: 'sockets.json',
      files: { 'sockets.json': '{"authHost":"http://app"}' },
    });
    expect(config.auth.url).toBe('http://app/broadcasting/auth');
  });

  it('may be empty: its defaults hold then, not ours', () => {
    expect(load({}).config.redis.prefix).toBe('');
  });
});

/** A row for each option that is documented: its value, the verdict, and the settings that it becomes. */
const OPTIONS: readonly [string, unknown, string, object, object?][] = [
  ['authHost', 'http://app.test/', 'kept', { 'auth.url': 'http://app.test/broadcasting/auth' }],
  ['authHost', ['http://a', 'http://b'], 'changed', { 'auth.url': 'http://a/broadcasting/auth' }],
  ['authHost', 'https://a', 'changed', { 'auth.url': 'https://a/broadcasting/auth' }],
  ['authEndpoint', '/auth', 'kept', {}],
  ['clients', [{ appId: 'a', key: 'k' }], 'kept', { 'http.apps': ['a:k'] }],
  ['clients', [], 'kept', {}],
  ['database', 'redis', 'kept', {}],
  ['database', 'sqlite', 'changed', {}],
  ['databaseConfig.redis', { host: 'r' }, 'kept', { 'redis.url': 'redis://r:6379', 'redis.prefix': '' }],
  ['databaseConfig.redis', 'redis://r:1', 'kept', { 'redis.url': 'redis://r:1', 'redis.prefix': '' }],
  ['databaseConfig.redis.host', '::1', 'kept', {}],
  ['databaseConfig.redis.port', 6380, 'kept', {}],
  ['databaseConfig.redis.db', 3, 'kept', {}],
  ['databaseConfig.redis.username', 'u', 'kept', {}],
  ['databaseConfig.redis.password', 'p', 'kept', {}],
  ['databaseConfig.redis.keyPrefix', 'app_', 'kept', {}],
  ['databaseConfig.redis.tls', { servername: 'r' }, 'kept', {}],
  ['databaseConfig.redis.tls', { rejectUnauthorized: false }, 'changed', {}],
  ['databaseConfig.redis.tls', { ca: '-----BEGIN' }, 'changed', {}],
  ['databaseConfig.redis.sentinels', [{ host: 'a' }], 'kept', {}, withRedis({ name: 'm' })],
  ['databaseConfig.redis.name', 'm', 'kept', {}, withRedis({ sentinels: [{ host: 'a' }] })],
  ['databaseConfig.redis.name', 'm', 'dropped', {}],
  ['databaseConfig.redis.role', 'slave', 'changed', {}],
  ['databaseConfig.redis.natMap', {}, 'changed', {}],
  ['databaseConfig.redis.commandTimeout', 500, 'kept', { 'redis.commandTimeoutMs': 500 }],
  ['databaseConfig.redis.connectTimeout', 500, 'dropped', {}],
  ['databaseConfig.publishPresence', true, 'changed', {}],
  ['databaseConfig.publishPresence', false, 'kept', {}],
  ['databaseConfig.sqlite.databasePath', '/x', 'dropped', {}],
  ['devMode', true, 'kept', { 'log.level': 'debug' }],
  ['devMode', false, 'kept', {}],
  ['host', '127.0.0.1', 'kept', { 'server.host': '127.0.0.1' }],
  ['port', '6002', 'kept', { 'server.port': '6002' }],
  ['protocol', 'http', 'kept', {}],
  [
    'socketio.origins',
    'a.test:8000 https://b.test:*',
    'changed',
    {
      'http.origins': ['http://a.test:8000', 'https://a.test:8000', 'https://b.test'],
    },
  ],
  ['socketio.origins', 'https://a.test:443', 'kept', { 'http.origins': ['https://a.test'] }],
  ['socketio.origins', '*:*', 'changed', { 'http.origins': ['*'] }],
  ['socketio.serveClient', false, 'kept', { 'echo.clientScript': 'off' }],
  ['socketio.path', '/socket.io', 'kept', {}],
  ['socketio.pingInterval', 10_000, 'kept', { 'connection.pingIntervalMs': 10_000 }],
  ['socketio.pingTimeout', 5_000, 'kept', { 'connection.pingTimeoutMs': 5_000 }],
  ['socketio.maxHttpBufferSize', 1e6, 'kept', { 'connection.maxFrameBytes': 1e6 }],
  ['socketio.transports', ['websocket'], 'changed', {}],
  ['socketio.transports', ['websocket', 'polling'], 'kept', {}],
  ['socketio.cookie', 'io', 'changed', {}],
  ['socketio.cookie', false, 'kept', {}],
  ['socketio.perMessageDeflate', true, 'dropped', {}],
  ['sslCertPath', 'cert.pem', 'dropped', {}],
  ['sslKeyPath', 'key.pem', 'dropped', {}],
  ['sslCertChainPath', 'chain.pem', 'dropped', {}],
  ['sslPassphrase', 'p', 'dropped', {}],
  ['secureOptions', 1, 'dropped', {}],
  ['subscribers', { http: false, redis: true }, 'kept', { 'echo.httpEvents': false }],
  // Not merged with its default there: what is not named is off.
  ['subscribers', { redis: true }, 'kept', { 'echo.httpEvents': false }],
  ['subscribers.http', true, 'kept', {}],
  ['subscribers.redis', true, 'kept', {}],
  ['apiOriginAllow.allowCors', true, 'changed', {}],
  ['apiOriginAllow.allowCors', false, 'kept', {}],
  ['apiOriginAllow.allowOrigin', '*', 'dropped', {}],
  ['apiOriginAllow.allowMethods', 'GET', 'dropped', {}],
  ['apiOriginAllow.allowHeaders', 'Accept', 'dropped', {}],
  ['headers', { 'X-A': 'b' }, 'changed', {}],
  ['headers', {}, 'dropped', {}],
];

function withRedis(options: object): object {
  return { databaseConfig: { redis: options } };
}

describe('each option', () => {
  it.each(OPTIONS)('%s = %j is %s', (path, value, verdict, settings, rest) => {
    expect(fateOf(path, value, rest)).toMatchObject({ verdict, settings });
  });

  it('says in words what became of it, where no setting does', () => {
    const silent = OPTIONS.filter(([path, value, , , rest]) => {
      const { says, settings } = fateOf(path, value, rest);
      return says === '' && Object.keys(settings).length === 0 && path !== 'socketio.path';
    });
    expect(silent).toEqual([]);
  });

  it('stands in the test, save what only says how ioredis and Socket.IO work inside', () => {
    const tested = new Set(OPTIONS.map(([path]) => path));
    const rest = oldOptions.filter(({ path }) => !tested.has(path));
    const inside = rest.filter(({ given }) => given('x', NOTHING).verdict === 'dropped');
    expect(rest.filter((option) => !inside.includes(option)).map(({ path }) => path)).toEqual([
      'databaseConfig.redis.sentinelUsername',
      'databaseConfig.redis.sentinelPassword',
      'databaseConfig.redis.enableTLSForSentinelMode',
      'databaseConfig.redis.sentinelTLS',
      'databaseConfig.redis.path',
    ]);
  });
});

const NOTHING = { get: () => undefined, text: () => undefined };

describe('the Redis', () => {
  it.each([
    [{ host: 'r', port: 6380, password: 'p@ss:/', db: 2 }, 'redis://:p%40ss%3A%2F@r:6380/2'],
    [{ username: 'u', password: 'p' }, 'redis://u:p@127.0.0.1:6379'],
    [{ host: '::1', tls: {} }, 'rediss://[::1]:6379'],
    [
      {
        sentinels: [{ host: 'a', port: 1 }, { host: 'b' }],
        name: 'm y',
        password: 'p',
        sentinelPassword: 's',
      },
      'redis+sentinel://:p@a:1,b:26379/m%20y?sentinelPassword=s',
    ],
  ])('%j becomes one URL', (redis, url) => {
    const { config } = load({
      databaseConfig: { redis: { ...redis, name: (redis as { name?: string }).name?.replace(' ', '') } },
    });
    expect(config.redis.url).toBe(url.replace('%20', ''));
  });

  it('is not used where subscribers.redis is off', () => {
    expect(load({ subscribers: { http: true } }).config.redis.url).toBeNull();
  });
});

describe('its variables', () => {
  const VARIABLES = {
    LARAVEL_ECHO_SERVER_AUTH_HOST: 'http://app',
    LARAVEL_ECHO_SERVER_DEBUG: 'true',
    LARAVEL_ECHO_SERVER_HOST: '127.0.0.1',
    LARAVEL_ECHO_SERVER_PORT: '6002',
    LARAVEL_ECHO_SERVER_REDIS_HOST: 'r',
    LARAVEL_ECHO_SERVER_REDIS_PORT: '1',
    LARAVEL_ECHO_SERVER_REDIS_PASSWORD: 'p',
    LARAVEL_ECHO_SERVER_PROTO: 'http',
    LARAVEL_ECHO_SERVER_SSL_CERT: 'c',
    LARAVEL_ECHO_SERVER_SSL_KEY: 'k',
    LARAVEL_ECHO_SERVER_SSL_CHAIN: 'ca',
    LARAVEL_ECHO_SERVER_SSL_PASS: 'pw',
  };

  it('are these', () => {
    expect(Object.keys(oldVariables)).toEqual(Object.keys(VARIABLES));
  });

  it('win over the file', () => {
    const { config, fates } = load({ port: 1234 }, { env: VARIABLES });
    expect(config.server).toMatchObject({ host: '127.0.0.1', port: 6002 });
    expect(config.redis.url).toBe('redis://:p@r:1');
    expect(config.auth.url).toBe('http://app/broadcasting/auth');
    expect(config.log.level).toBe('debug');
    expect(fates.map(({ option }) => option)).toEqual(
      expect.arrayContaining(Object.keys(VARIABLES).filter((n) => !n.includes('REDIS'))),
    );
  });

  it('are read from .env too, and may name another one', () => {
    const dotenv = 'REDIS_HOST=elsewhere\nLARAVEL_ECHO_SERVER_REDIS_HOST="$' + '{REDIS_HOST}"\n';
    expect(load({}, { files: { '.env': dotenv } }).config.redis.url).toBe('redis://elsewhere:6379');
  });

  it('are told when one is misspelt', () => {
    expect(wrongIn({}, { LARAVEL_ECHO_SERVER_PROT: '1' })).toEqual([
      expect.stringMatching(
        /^LARAVEL_ECHO_SERVER_PROT: is no option .*did you mean LARAVEL_ECHO_SERVER_PROTO\?/,
      ),
    ]);
  });
});

describe('what cannot be run', () => {
  it.each([
    [
      { authHosts: 'x' },
      'authHosts (laravel-echo-server.json): is no option of laravel-echo-server; did you mean authHost?',
    ],
    [
      { databaseConfig: { redis: { hots: 'x' } } },
      'databaseConfig.redis.hots (laravel-echo-server.json): is no option of laravel-echo-server; did you mean databaseConfig.redis.host?',
    ],
    [{ zebra: 1 }, 'zebra (laravel-echo-server.json): is no option of laravel-echo-server'],
    [{ databaseConfig: 5 }, 'databaseConfig (laravel-echo-server.json): must be an object of options'],
    [{ port: 'x' }, 'port (laravel-echo-server.json): must be a port number'],
    [{ port: 99_999 }, 'port (laravel-echo-server.json): must be an integer from 0 to 65535'],
    [{ protocol: 'ftp' }, 'protocol (laravel-echo-server.json): must be http or https'],
    [
      { protocol: 'https' },
      'protocol (laravel-echo-server.json): is https, but sslCertPath or sslKeyPath is not set',
    ],
    [
      { subscribers: { http: false, redis: false } },
      'subscribers (laravel-echo-server.json): turns off both',
    ],
    [{ authHost: '.example.com' }, 'authHost (laravel-echo-server.json): begins with a suffix'],
    [{ authHost: 'app' }, 'authHost (laravel-echo-server.json): must be a whole URL'],
    [{ authEndpoint: 'auth' }, 'authEndpoint (laravel-echo-server.json): must be a path'],
    [{ clients: [{ appId: 'a' }] }, 'clients (laravel-echo-server.json): must be a list'],
    [
      {
        clients: [
          { appId: 'a', key: 'x' },
          { appId: 'a', key: 'y' },
        ],
      },
      'clients (laravel-echo-server.json): must be `id:key`',
    ],
    [{ database: 'mysql' }, 'database (laravel-echo-server.json): must be redis or sqlite'],
    [{ socketio: { path: '/ws' } }, 'socketio.path (laravel-echo-server.json): must be /socket.io'],
    [{ socketio: { origins: '*:80' } }, 'socketio.origins (laravel-echo-server.json): holds "*:80"'],
    [
      withRedis({ path: '/tmp/redis.sock' }),
      'databaseConfig.redis.path (laravel-echo-server.json): names a Unix socket',
    ],
    [
      withRedis({ sentinels: [{ host: 'a' }] }),
      'databaseConfig.redis (laravel-echo-server.json): has sentinels, but no name',
    ],
    [
      withRedis({ sentinels: 'a' }),
      'databaseConfig.redis (laravel-echo-server.json): has sentinels that are no list',
    ],
    [
      withRedis({ port: 'secret-99' }),
      'databaseConfig.redis (laravel-echo-server.json): has a host that cannot be read',
    ],
  ])('%j is told by name', (content, told) => {
    const mistakes = wrongIn(content);
    expect(mistakes).toEqual([expect.stringContaining(told)]);
  });

  it('is broken JSON, which is not taken for an empty file', () => {
    expect(mistakesOf({ configFile: FILE, files: { [FILE]: '{"port": 6001,\n}' } })).toEqual([
      expect.stringContaining('--config laravel-echo-server.json: must be valid JSON'),
    ]);
  });
});

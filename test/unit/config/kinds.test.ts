import { describe, expect, it } from 'vitest';
import { configOf, load, loaded, mistakesOf, SECRET } from './config-folder.ts';

const refuses = (env: Record<string, string>) => mistakesOf({ env });

describe('an integer', () => {
  it.each(['', ' ', 'x', '1.5', '1e3', '0x10', 'Infinity', 'NaN', '-1', '65536', '99999999999999999999'])(
    'refuses %j, or takes it for nothing given',
    (written) => {
      const result = load({ env: { YAMABIKO_PORT: written } });
      if (written.trim() === '')
        expect(result).toMatchObject({ ok: true, config: { server: { port: 6001 } } });
      else
        expect(result).toEqual({
          ok: false,
          mistakes: [
            { setting: 'YAMABIKO_PORT', value: written, problem: 'must be an integer from 0 to 65535' },
          ],
        });
    },
  );

  it('takes both ends of its range, and white space around', () => {
    expect(configOf({ YAMABIKO_PORT: '0' }).server.port).toBe(0);
    expect(configOf({ YAMABIKO_PORT: ' 65535 ' }).server.port).toBe(65_535);
  });

  it.each(['"x"', '1.5', 'true', '[1]', '{}', '-1'])('refuses %s in the config file', (json) => {
    expect(mistakesOf({ files: { 'yamabiko.config.json': `{"server":{"port":${json}}}` } })).toHaveLength(1);
  });
});

describe('a boolean', () => {
  it.each(['true', '1', 'yes', 'on', 'TRUE'])('takes %s for true', (written) => {
    expect(configOf({ YAMABIKO_JWT_ENFORCE_EXPIRY: written }).jwt.enforceExpiry).toBe(true);
  });
  it.each(['false', '0', 'no', 'off', 'False'])('takes %s for false', (written) => {
    expect(configOf({ YAMABIKO_JWT_ENFORCE_EXPIRY: written }).jwt.enforceExpiry).toBe(false);
  });
  it('refuses anything else', () => {
    expect(refuses({ YAMABIKO_JWT_ENFORCE_EXPIRY: 'maybe' })).toEqual([
      'YAMABIKO_JWT_ENFORCE_EXPIRY: must be true or false (also 1, 0, yes, no, on, off) [maybe]',
    ]);
  });
});

describe('a URL', () => {
  it.each(['127.0.0.1:6379', 'http://127.0.0.1', 'redis://', 'redis', '//x'])(
    'of Redis refuses %s',
    (written) => {
      expect(refuses({ YAMABIKO_REDIS_URL: written })).toEqual([
        'YAMABIKO_REDIS_URL: must be a whole URL that begins with redis://, rediss://, redis+sentinel://, redis+cluster:// (or rediss+ for TLS) [null]',
      ]);
    },
  );
  it.each(['redis://127.0.0.1', 'rediss://user:pw@redis.local:6380/2'])('of Redis takes %s', (written) => {
    expect(configOf({ YAMABIKO_REDIS_URL: written }).redis.url).toBe(written);
  });
  it.each(['/broadcasting/auth', 'localhost:8000/auth', 'ftp://x/'])(
    'of the auth endpoint refuses %s',
    (written) => {
      expect(refuses({ YAMABIKO_AUTH_URL: written })).toEqual([
        `YAMABIKO_AUTH_URL: must be a whole URL that begins with http:// or https:// [${written}]`,
      ]);
    },
  );
  it('shows no password that is in a wrong one', () => {
    expect(refuses({ YAMABIKO_AUTH_URL: 'ftp://u:hidden@x/?key=hidden' }).join()).not.toContain('hidden');
    expect(refuses({ YAMABIKO_AUTH_URL: 'u:hidden@x/auth' }).join()).not.toContain('hidden');
  });
});

describe('a choice', () => {
  it('refuses what it does not know, and names what it does', () => {
    expect(refuses({ YAMABIKO_LOG_LEVEL: 'loud' })).toEqual([
      'YAMABIKO_LOG_LEVEL: must be one of fatal, error, warn, info, debug, trace, silent [loud]',
    ]);
  });
});

describe('a list', () => {
  it('is separated by commas, with white space around', () => {
    expect(configOf({ YAMABIKO_RAW_PATHS: '/a, /b ,' }).raw.paths).toEqual(['/a', '/b']);
  });
  it('is an array in the config file', () => {
    const files = { 'yamabiko.config.json': '{"raw":{"paths":["/a,b"]}}' };
    expect(loaded({ files }).config.raw.paths).toEqual(['/a,b']);
  });
  it.each(['ws', '/socket.io', '/socket.io/x', '/ws,ws'])('of raw paths refuses %s', (written) => {
    expect(refuses({ YAMABIKO_RAW_PATHS: written })).toHaveLength(1);
  });
  it('of raw paths takes a path that only looks like that of Socket.IO', () => {
    expect(configOf({ YAMABIKO_RAW_PATHS: '/socket.iox' }).raw.paths).toEqual(['/socket.iox']);
  });
  it.each(['https://a.b/', 'https://a.b/c', 'a.b', 'ws://a.b', 'null', '*.a.b'])(
    'of origins refuses %s',
    (written) => {
      expect(refuses({ YAMABIKO_ORIGINS: written })).toHaveLength(1);
    },
  );
  it('of origins takes origins and *', () => {
    expect(configOf({ YAMABIKO_ORIGINS: 'https://A.b:8443,*' }).http.origins).toEqual([
      'https://a.b:8443',
      '*',
    ]);
  });
  it.each(['proxy', '10.0.0.0/33', '::1/129', '10.0.0.1/', '10.0.0.0/8/8', '10.0.0'])(
    'of proxies refuses %s',
    (written) => {
      expect(refuses({ YAMABIKO_TRUSTED_PROXIES: written })).toHaveLength(1);
    },
  );
  it('of proxies takes addresses and ranges of both families', () => {
    const written = '10.0.0.0/8,127.0.0.1,::1,fd00::/8';
    expect(configOf({ YAMABIKO_TRUSTED_PROXIES: written }).http.trustedProxies).toEqual(written.split(','));
  });
});

describe('apps', () => {
  it('are pairs of id and key', () => {
    expect(configOf({ YAMABIKO_APPS: 'app1:k:1, app2:k2' }).http.apps).toEqual([
      { id: 'app1', key: 'k:1' },
      { id: 'app2', key: 'k2' },
    ]);
  });
  it('are an object or an array in the config file', () => {
    for (const apps of ['{"a":"k"}', '["a:k"]'])
      expect(
        loaded({ files: { 'yamabiko.config.json': `{"http":{"apps":${apps}}}` } }).config.http.apps,
      ).toEqual([{ id: 'a', key: 'k' }]);
  });
  it.each(['a', 'a:', ':k', 'a:k,a:l', 'a b:k', 'a:k,'])('refuse %s, and do not show it', (written) => {
    const [line, ...others] = refuses({ YAMABIKO_APPS: written });
    expect(line).toMatch(/^YAMABIKO_APPS: must be `id:key`.* \[\*\*\*\]$/);
    expect(others).toEqual([]);
  });
});

describe('text', () => {
  it('of a prefix may be empty, and an empty variable says so', () => {
    expect(configOf({ YAMABIKO_REDIS_PREFIX: '' }).redis.prefix).toBe('');
    expect(configOf({ YAMABIKO_BROADCAST_PREFIX: '' }).redis).toMatchObject({
      prefix: 'laravel_database_',
      broadcastPrefix: '',
    });
  });
  it('of a prefix has no white space', () => {
    expect(refuses({ YAMABIKO_REDIS_PREFIX: 'a b' })).toHaveLength(1);
  });
  it('of the metrics key is visible ASCII, and is not shown', () => {
    expect(refuses({ YAMABIKO_METRICS_KEY: 'schlüssel' })).toEqual([
      'YAMABIKO_METRICS_KEY: must be text of visible ASCII characters [***]',
    ]);
  });
});

describe('channel definitions', () => {
  const define = (json: string) => ({
    files: { 'yamabiko.config.json': `{"channels":{"definitions":${json}}}` },
    env: { YAMABIKO_JWT_SECRET: SECRET },
  });

  it('are taken from the config file', () => {
    const definition = { clientSend: true, users: false, echo: false, keep: ['a'], recipient: 'to' };
    const { config } = loaded(
      define(JSON.stringify({ room: { ...definition, schema: { type: 'object' } } })),
    );
    expect(config.channels.definitions).toEqual({ room: { ...definition, schema: { type: 'object' } } });
  });
  it.each(['[]', '"chat"', '{"a":1}', '{"a:1":{}}', '{"":{}}', '{"a b":{}}'])('refuse %s', (json) => {
    expect(mistakesOf(define(json)).length).toBeGreaterThan(0);
  });
  it('name the place of each mistake in them', () => {
    const lines = mistakesOf(define('{"chat":{"clientSend":"yes","sendClient":true}}'));
    expect(lines).toHaveLength(2);
    expect(lines.join('\n')).toMatch(
      /channels\.definitions\.chat\.clientSend \(yamabiko\.config\.json\): .*boolean/,
    );
    expect(lines.join('\n')).toMatch(/channels\.definitions\.chat \(yamabiko\.config\.json\): .*sendClient/);
  });
});

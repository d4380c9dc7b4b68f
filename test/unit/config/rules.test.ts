import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../config/load-config.ts';
import { configOf, folderWith, loaded, mistakesOf, NEXT_SECRET, SECRET } from './config-folder.ts';

const rsa = (bits: number) => generateKeyPairSync('rsa', { modulusLength: bits });
const pem = (key: { export(options: { type: 'spki'; format: 'pem' }): string | Buffer }) =>
  key.export({ type: 'spki', format: 'pem' }).toString();
const PUBLIC_KEY = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);

describe('development mode', () => {
  it.each([
    ['nothing', {}, true],
    ['another NODE_ENV', { NODE_ENV: 'test' }, true],
    ['a secret', { YAMABIKO_JWT_SECRET: SECRET }, false],
    ['a public key', { YAMABIKO_JWT_PUBLIC_KEY: PUBLIC_KEY }, false],
    ['a key set', { YAMABIKO_JWKS_URL: 'https://id.example/jwks' }, false],
    ['production and a secret', { NODE_ENV: 'production', YAMABIKO_JWT_SECRET: SECRET }, false],
  ])('with %s set: %j is %s', (_, env, development) => {
    expect(configOf(env).development).toBe(development);
  });

  it('serves this machine only, and every address otherwise', () => {
    expect(configOf().server.host).toBe('127.0.0.1');
    expect(configOf({ YAMABIKO_JWT_SECRET: SECRET }).server.host).toBe('0.0.0.0');
  });

  it('listens where it is told to, with a warning that names the danger', () => {
    const { config, warnings } = loaded({ env: { YAMABIKO_HOST: '0.0.0.0' } });
    expect(config.server.host).toBe('0.0.0.0');
    expect(warnings).toEqual([expect.stringContaining('YAMABIKO_JWT_SECRET')]);
    expect(loaded({ env: { YAMABIKO_HOST: '127.0.0.2' } }).warnings).toEqual([]);
  });

  it('has a secret of 256 random bits, new at each start', () => {
    const [first] = configOf().jwt.secrets;
    const [second] = configOf().jwt.secrets;
    expect(Buffer.from(first ?? '', 'base64url')).toHaveLength(32);
    expect(first).not.toBe(second);
  });

  it('ends with NODE_ENV=production in .env too, unless the environment says otherwise', () => {
    const files = { '.env': 'NODE_ENV=production' };
    expect(mistakesOf({ files })).toHaveLength(1);
    expect(loaded({ files, env: { NODE_ENV: 'development' } }).config.development).toBe(true);
  });
});

describe('production', () => {
  const production = (env: Record<string, string>) => ({ env: { NODE_ENV: 'production', ...env } });

  it('does not start without a key for tokens, and names the setting', () => {
    expect(mistakesOf(production({}))).toEqual([expect.stringMatching(/^YAMABIKO_JWT_SECRET: must be set/)]);
    expect(mistakesOf(production({ YAMABIKO_JWT_SECRET: '' }))).toHaveLength(1);
  });

  it.each([
    { YAMABIKO_JWT_SECRET: SECRET },
    { YAMABIKO_JWT_PUBLIC_KEY: PUBLIC_KEY },
    { YAMABIKO_JWKS_URL: 'https://id.example/jwks' },
  ])('starts with %j, and makes no secret of its own', (env) => {
    const { config } = loaded(production(env));
    expect(config.jwt.secrets).toEqual('YAMABIKO_JWT_SECRET' in env ? [SECRET] : []);
  });

  it('warns of what is missing, and of nothing when all is set', () => {
    const secret = { YAMABIKO_JWT_SECRET: SECRET };
    const redis = { YAMABIKO_REDIS_URL: 'redis://127.0.0.1' };
    const auth = { YAMABIKO_AUTH_URL: 'http://127.0.0.1/broadcasting/auth' };
    const warned = (env: Record<string, string>) =>
      loaded(production(env)).warnings.map((w) => w.split(' ')[0]);
    expect(warned(secret)).toEqual(['YAMABIKO_REDIS_URL', 'YAMABIKO_AUTH_URL']);
    expect(warned({ ...secret, ...redis })).toEqual(['YAMABIKO_AUTH_URL']);
    expect(warned({ ...secret, ...redis, ...auth })).toEqual([]);
  });

  it('says nothing of a missing secret where the one given is wrong', () => {
    const files = { 'yamabiko.config.json': '{"jwt":{"secrets":5}}' };
    const lines = mistakesOf({ files, env: { NODE_ENV: 'production' } });
    expect(lines).toEqual([expect.stringMatching(/^jwt\.secrets .*must be one secret.*\[\*\*\*\]$/)]);
  });
});

describe('a JWT secret', () => {
  it('should have 32 bytes, in UTF-8: a shorter one is warned of, and never shown', () => {
    const warned = (secret: string) =>
      loaded({ env: { YAMABIKO_JWT_SECRET: secret } }).warnings.filter((w) => w.includes('bytes'));
    expect(warned('x'.repeat(31))).toEqual([
      'YAMABIKO_JWT_SECRET: the secret has 31 bytes; HS256 asks for 32 at least, and who has a token can guess a short one',
    ]);
    expect(warned('あ'.repeat(11))).toEqual([]);
  });

  it('can be several', () => {
    expect(configOf({ YAMABIKO_JWT_SECRET: `${SECRET}, ${NEXT_SECRET}` }).jwt.secrets).toEqual([
      SECRET,
      NEXT_SECRET,
    ]);
    expect(loaded({ env: { YAMABIKO_JWT_SECRET: `${SECRET},short` } }).warnings).toContainEqual(
      expect.stringContaining('secret 2 of 2 has 5 bytes'),
    );
  });

  it('may hold a comma in the config file', () => {
    const secret = `${SECRET},and more`;
    const files = { 'yamabiko.config.json': JSON.stringify({ jwt: { secrets: [secret] } }) };
    expect(loaded({ files }).config.jwt.secrets).toEqual([secret]);
  });
});

describe('a public key', () => {
  const refused = (key: string) => mistakesOf({ env: { YAMABIKO_JWT_PUBLIC_KEY: key } }).join('\n');

  it('is PEM text, also with \\n for line ends, or the path of a file that holds it', () => {
    expect(configOf({ YAMABIKO_JWT_PUBLIC_KEY: PUBLIC_KEY }).jwt.publicKey).toBe(PUBLIC_KEY.trim());
    const inOneLine = PUBLIC_KEY.replaceAll('\n', '\\n');
    expect(configOf({ YAMABIKO_JWT_PUBLIC_KEY: inOneLine }).jwt.publicKey).toBe(PUBLIC_KEY);
    const given = { files: { 'key.pem': PUBLIC_KEY }, env: { YAMABIKO_JWT_PUBLIC_KEY: 'key.pem' } };
    expect(loaded(given).config.jwt.publicKey).toBe(PUBLIC_KEY);
  });

  it('is refused where it cannot be used', () => {
    expect(refused('none.pem')).toContain('cannot be read (ENOENT)');
    expect(refused('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----')).toContain(
      'no public key in PEM',
    );
    expect(refused(pem(rsa(1024).publicKey))).toContain('below 2048 bits');
    expect(refused(pem(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey))).toContain('P-256');
  });

  it('is refused, unshown, where it is the private one', () => {
    const key = rsa(2048).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(refused(key)).toContain('is a private key');
    expect(refused(key)).not.toContain(key.split('\n')[1]);
    expect(refused(key.split('\n').slice(1).join(''))).not.toContain(key.split('\n')[1]);
  });
});

describe('what is in force', () => {
  it('has the prefix of Redis for the custom channel too, unless told otherwise', () => {
    expect(configOf({ YAMABIKO_REDIS_PREFIX: 'app:' }).redis.broadcastPrefix).toBe('app:');
    const both = { YAMABIKO_REDIS_PREFIX: 'app:', YAMABIKO_BROADCAST_PREFIX: 'b:' };
    expect(configOf(both).redis).toMatchObject({ prefix: 'app:', broadcastPrefix: 'b:' });
  });

  it.each([
    [{}, false, 'pretty'],
    [{}, true, 'pretty'],
    [{ YAMABIKO_JWT_SECRET: SECRET }, false, 'json'],
    [{ YAMABIKO_JWT_SECRET: SECRET }, true, 'pretty'],
    [{ YAMABIKO_LOG_FORMAT: 'json' }, true, 'json'],
    [{ YAMABIKO_JWT_SECRET: SECRET, YAMABIKO_LOG_FORMAT: 'pretty' }, false, 'pretty'],
  ])('logs with %j, terminal %s, as %s', (env, terminal, format) => {
    expect(loaded({ env: env as Record<string, string>, terminal }).config.log.format).toBe(format);
  });

  it('cannot be changed, at any depth', () => {
    const files = { 'yamabiko.config.json': '{"channels":{"definitions":{"a":{"keep":["b"]}}}}' };
    const cwd = folderWith(files);
    const result = loadConfig({ cwd, env: {} });
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(frozen));
    expect(result.ok && frozen(result.config)).toBe(true);
  });
});

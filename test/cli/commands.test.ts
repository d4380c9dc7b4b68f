import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emptyFolder, run, SECRET } from './binary.ts';

const withSecret = { env: { YAMABIKO_JWT_SECRET: SECRET } };
const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

describe('help', () => {
  it.each([[[]], [['--help']], [['help']]])('is told for %j', async (args) => {
    const { code, stdout } = await run(args);
    expect(code).toBe(0);
    for (const word of ['start', 'config', 'token', 'publish', 'Examples:', 'Exit codes:'])
      expect(stdout).toContain(word);
  });

  it.each(['start', 'config', 'token', 'publish'])('is told for %s', async (command) => {
    const { code, stdout } = await run([command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: yamabiko ${command}`);
    expect(stdout).toContain('--config');
  });

  it('tells the version of package.json', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, stdout: `${manifest.version}\n` });
  });
});

describe('what is wrong ends with 2, in words', () => {
  it.each([
    [['strat'], /unknown command 'strat'\n\(Did you mean start\?\)/],
    [['start', '--prot', '1'], /unknown option '--prot'\n\(Did you mean --port\?\)/],
    [['start', '--port'], /argument missing/],
    [['start', '--port', 'x'], /--port: must be an integer from 0 to 65535 \(got x\)/],
    [['token', '--id', '1'], /required option/],
    [['publish', 'chat:1'], /missing required argument 'data'/],
    [['config', '--config', 'none.json'], /--config none\.json: cannot be read/],
  ])('%j', async (args, told) => {
    const { code, stdout, stderr } = await run(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(told);
    expect(stdout).toBe('');
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('with all mistakes at once, each under its name, and no secret', async () => {
    const env = {
      YAMABIKO_PORT: '-1',
      YAMABIKO_JWT_PUBLIC_KEY: '-----BEGIN hidden',
      YAMABIKO_HOTS: 'x',
      YAMABIKO_APPS: 'hidden',
    };
    for (const command of [['start'], ['config'], ['publish', 'a', '{}']]) {
      const { code, stderr } = await run(command, { env });
      expect(code).toBe(2);
      for (const name of Object.keys(env)) expect(stderr).toContain(`${name}: `);
      expect(stderr).toContain('did you mean YAMABIKO_HOST?');
      expect(stderr).not.toContain('hidden');
    }
  });

  it('in production without a secret, by the name of the setting', async () => {
    const { code, stderr } = await run(['start'], { env: { NODE_ENV: 'production' } });
    expect(code).toBe(2);
    expect(stderr).toContain('YAMABIKO_JWT_SECRET: must be set in production');
  });
});

describe('config', () => {
  it('tells what is in force, where it came from, and no secret', async () => {
    const cwd = emptyFolder();
    writeFileSync(join(cwd, 'yamabiko.config.json'), '{"server":{"port":7000,"drainMs":1}}');
    writeFileSync(join(cwd, '.env'), `YAMABIKO_JWT_SECRET=${SECRET}\nYAMABIKO_DRAIN_MS=2`);
    const env = { YAMABIKO_REDIS_URL: 'redis://u:hidden@127.0.0.1:6390', YAMABIKO_APPS: 'app:hidden' };
    const { code, stdout } = await run(['config', '--host', '127.0.0.9'], { cwd, env });
    expect(code).toBe(0);
    const lines = stdout.split('\n').map((line) => line.replaceAll(/ {2,}/g, ' | '));
    expect(lines).toEqual(
      expect.arrayContaining([
        'development mode: no',
        'server.host | 127.0.0.9 | --host',
        'server.port | 7000 | server.port (yamabiko.config.json)',
        'server.drainMs | 2 | YAMABIKO_DRAIN_MS (.env)',
        'redis.url | redis://***:***@127.0.0.1:6390 | YAMABIKO_REDIS_URL',
        'redis.prefix | laravel_database_ | default',
        'jwt.secrets | *** | YAMABIKO_JWT_SECRET (.env)',
        'http.apps | app:*** | YAMABIKO_APPS',
      ]),
    );
    expect(stdout).not.toMatch(/hidden|a-secret/);
  });

  it('is JSON for programs, warnings apart', async () => {
    const { stdout, stderr } = await run(['config', '--json'], withSecret);
    const { development, settings } = JSON.parse(stdout) as {
      development: boolean;
      settings: Record<string, unknown>;
    };
    expect(development).toBe(false);
    expect(settings['server.port']).toEqual({ value: 6001, from: 'default', env: 'YAMABIKO_PORT' });
    expect(stderr).toContain('warning: YAMABIKO_REDIS_URL is not set');
    expect(stdout + stderr).not.toContain(SECRET);
  });
});

describe('token', () => {
  const ask = (...more: string[]) => ['token', '--id', '7', '--name', 'Ada', '--channel', 'chat:1', ...more];

  it('prints a JWT signed with the first secret, and nothing else', async () => {
    const env = { YAMABIKO_JWT_SECRET: `${SECRET},another-secret-of-32-bytes-or-more` };
    const { code, stdout, stderr } = await run(ask('--ttl', '60'), { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [head, body = '', signature] = stdout.trim().split('.');
    expect(createHmac('sha256', SECRET).update(`${head}.${body}`).digest('base64url')).toBe(signature);
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as { iat: number; exp: number };
    expect(claims).toMatchObject({ id: 7, name: 'Ada', channel: 'chat:1', exp: claims.iat + 60 });
  });

  it.each([
    [['--id', '0'], /--id: must be an integer from 1/],
    [['--id', 'x'], /--id: must be an integer/],
    [['--ttl', '0'], /--ttl: must be an integer/],
    [['--ttl', '1.5'], /--ttl: must be an integer/],
    [['--channel', 'private-x'], /--channel: .*Echo prefix/],
    [['--channel', 'a b'], /--channel: .*white space/],
    [['--channel', 'broadcast'], /--channel: .*reserved/],
  ])('refuses %j', async (wrong, told) => {
    const { code, stdout, stderr } = await run(ask(...wrong), withSecret);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(told);
  });

  it('names the setting where there is no secret that anybody shares', async () => {
    const { code, stderr } = await run(ask());
    expect(code).toBe(2);
    expect(stderr).toContain('YAMABIKO_JWT_SECRET is not set');
    const jwks = await run(ask(), { env: { YAMABIKO_JWKS_URL: 'https://id.example/jwks' } });
    expect(jwks.stderr).toContain('only a public key is set');
  });
});

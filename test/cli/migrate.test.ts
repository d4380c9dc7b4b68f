import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startAuthEndpoint } from '../support/auth-endpoint.ts';
import { EchoClient } from '../support/echo-client.ts';
import { RedisServer } from '../support/redis-server.ts';
import { emptyFolder, Running, run } from './binary.ts';

const OLD = 'laravel-echo-server.json';

function folderWith(files: Record<string, unknown>): string {
  const cwd = emptyFolder();
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(cwd, name), typeof content === 'string' ? content : JSON.stringify(content));
  return cwd;
}

const OPTIONS = {
  authHost: 'http://app.test',
  clients: [{ appId: 'app', key: 'the-apps-key' }],
  databaseConfig: { redis: { host: 'redis.test', password: 'the-password', keyPrefix: 'app_' } },
  port: '6002',
};

describe('migrate', () => {
  it('writes our config file, for its owner alone, and says what became of each option', async () => {
    const cwd = folderWith({ [OLD]: OPTIONS });
    const { code, stdout, stderr } = await run(['migrate'], { cwd });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/kept +port \(laravel-echo-server.json\) +server.port = 6002\n/);
    expect(stdout).toMatch(/changed +socketio.origins \(not in laravel-echo-server.json\) .*every site/);
    expect(stdout).toContain('Start it with: yamabiko start\n');
    const file = join(cwd, 'yamabiko.config.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      server: { port: 6002 },
      auth: { url: 'http://app.test/broadcasting/auth' },
      redis: { url: 'redis://:the-password@redis.test:6379', prefix: 'app_' },
      http: { apps: ['app:the-apps-key'], origins: ['*'] },
      echo: { clientScript: '2' },
      jwt: { required: false },
    });
  });

  it('shows neither passwords nor keys', async () => {
    const { stdout } = await run(['migrate'], { cwd: folderWith({ [OLD]: OPTIONS }) });
    expect(stdout).toContain('redis://***:***@redis.test:6379');
    expect(stdout).toContain('app:***');
    expect(stdout).not.toMatch(/the-password|the-apps-key/);
  });

  it('means by its file what the old one means to start', async () => {
    const cwd = folderWith({ [OLD]: OPTIONS, '.env': 'LARAVEL_ECHO_SERVER_PORT=6003\n' });
    await run(['migrate'], { cwd });
    const inForce = async (...args: string[]) => {
      const { stdout } = await run(['config', '--json', ...args], { cwd });
      const { settings } = JSON.parse(stdout) as { settings: Record<string, { value: unknown }> };
      return Object.fromEntries(Object.entries(settings).map(([path, { value }]) => [path, value]));
    };
    const ours = await inForce();
    expect(ours).toEqual(await inForce('--config', OLD));
    expect(ours['server.port']).toBe(6003);
  });

  it('overwrites nothing unless told to', async () => {
    const cwd = folderWith({ [OLD]: OPTIONS, 'yamabiko.config.json': '{}' });
    expect(await run(['migrate'], { cwd })).toMatchObject({
      code: 1,
      stderr: 'yamabiko: yamabiko.config.json is there already: --force overwrites it, --out names another\n',
    });
    expect(readFileSync(join(cwd, 'yamabiko.config.json'), 'utf8')).toBe('{}');
    expect((await run(['migrate', '--force'], { cwd })).code).toBe(0);
    const other = await run(['migrate', '--out', 'prod.json'], { cwd });
    expect(other.stdout).toContain('yamabiko start --config prod.json');
  });

  it('writes nothing with --dry-run, and tells programs in JSON', async () => {
    const cwd = folderWith({ 'old.json': OPTIONS });
    const { stdout } = await run(['migrate', 'old.json', '--dry-run', '--json'], { cwd });
    const { written, options } = JSON.parse(stdout) as { written: boolean; options: object[] };
    expect(written).toBe(false);
    expect(options).toContainEqual({
      option: 'port (old.json)',
      verdict: 'kept',
      becomes: 'server.port = 6002',
      says: '',
    });
    expect(() => statSync(join(cwd, 'yamabiko.config.json'))).toThrow('ENOENT');
  });

  it.each([
    ['no file', {}, 'cannot be read (ENOENT)'],
    ['broken JSON', { [OLD]: '{"port": }' }, 'must be valid JSON'],
    ['a misspelt option', { [OLD]: { authHots: 'x' } }, 'did you mean authHost?'],
    ['a contradiction', { [OLD]: { protocol: 'https' } }, 'sslCertPath or sslKeyPath is not set'],
  ])('tells %s', async (_what, files, told) => {
    const { code, stderr } = await run(['migrate'], { cwd: folderWith(files) });
    expect(code).toBe(2);
    expect(stderr).toContain(told);
  });

  it('does not take our own config file for an old one', async () => {
    const cwd = folderWith({ 'ours.json': { server: { port: 1 } } });
    const { code, stderr } = await run(['migrate', 'ours.json'], { cwd });
    expect([code, stderr]).toEqual([2, expect.stringContaining('is no laravel-echo-server.json')]);
  });
});

describe('start --config laravel-echo-server.json', () => {
  it('serves old pages: Redis, Laravel, the API, and the client 2 from its path', async () => {
    const redis = await RedisServer.start();
    onTestFinished(() => redis.stop());
    const laravel = await startAuthEndpoint();
    onTestFinished(() => laravel.stop());
    const { origin, pathname } = new URL(laravel.url);
    const cwd = folderWith({
      [OLD]: {
        authHost: origin,
        authEndpoint: pathname,
        clients: [{ appId: 'app', key: 'key' }],
        databaseConfig: { redis: { port: redis.port, keyPrefix: 'app_' } },
        host: '127.0.0.1',
        port: 'x',
      },
      '.env': 'LARAVEL_ECHO_SERVER_PORT=6001\nYAMABIKO_PORT=0\n',
    });
    const server = new Running(['start', '--config', OLD, '--log-format', 'json'], { cwd });
    const [, url = ''] = await server.says(/"url":"(http:[^"]+)"/);
    const client = await EchoClient.open({
      url,
      version: 2,
      bearer: '7:grace',
      headers: { Origin: 'https://elsewhere.test' },
    });
    onTestFinished(() => client.close());
    const orders = client.private('orders', '.told');
    expect(await client.settled('private-orders')).toMatchObject({ ok: true });
    await redis.publish('app_private-orders', '{"event":"told","data":{"a":1},"socket":null}');
    expect(await orders.next('.told')).toMatchObject({ payload: { a: 1 } });
    const status = await fetch(`${url}/apps/app/status?auth_key=key`);
    expect(await status.json()).toMatchObject({ subscription_count: 1 });
    expect(await (await fetch(`${url}/socket.io/socket.io.js`)).text()).toContain('Socket.IO v2');
    server.kill('SIGTERM');
    expect(await server.ended).toMatchObject({ code: 0 });
  });
});

import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RedisServer } from '../support/redis-server.ts';
import { emptyFolder, Running, run, SECRET } from './binary.ts';

const ANY_PORT = ['start', '--port', '0'];
const URL_SAID = /runs at (http:\S+)/;

async function takenPort(): Promise<string> {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  onTestFinished(() => void holder.close());
  return String((holder.address() as AddressInfo).port);
}

describe('start in development mode', () => {
  it('says what runs, where, on which bus, the demo, and what is missing for production', async () => {
    const server = new Running(ANY_PORT, {});
    const [, url = ''] = await server.says(URL_SAID);
    await server.says(/YAMABIKO_APPS .*\n/);
    expect(server.stdout).toMatch(
      /Yamabiko \d+\.\d+\.\d+ runs at http:\/\/127\.0\.0\.1:\d+ \(development mode\)/,
    );
    expect(server.stdout).toContain(`${url}/demo`);
    expect(server.stdout).toMatch(/bus +in memory/);
    expect(server.stdout).toMatch(/recovery +on: .*120 s/);
    for (const name of ['YAMABIKO_JWT_SECRET', 'YAMABIKO_REDIS_URL', 'YAMABIKO_AUTH_URL'])
      expect(server.stdout).toContain(name);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    expect((await fetch(`${url}/demo`, { redirect: 'manual' })).status).toBe(200);
    server.kill('SIGTERM');
    expect(await server.ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('writes nothing to where it runs, and two may run there', async () => {
    const cwd = emptyFolder();
    const servers = [new Running(ANY_PORT, { cwd }), new Running(ANY_PORT, { cwd })];
    const urls = await Promise.all(servers.map(async (server) => (await server.says(URL_SAID))[1]));
    expect(new Set(urls).size).toBe(2);
    for (const server of servers) server.kill('SIGTERM');
    for (const server of servers) expect(await server.ended).toMatchObject({ code: 0 });
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe('start with a secret', () => {
  it('writes JSON lines, warns of what is missing, shows no demo and no secret', async () => {
    const env = { NODE_ENV: 'production', YAMABIKO_JWT_SECRET: SECRET, YAMABIKO_HOST: '127.0.0.1' };
    const server = new Running(ANY_PORT, { env });
    const [, url = ''] = await server.says(/"url":"([^"]+)"/);
    expect((await fetch(`${url}/demo`)).status).toBe(404);
    server.kill('SIGTERM');
    const { code, stdout } = await server.ended;
    expect(code).toBe(0);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string; msg: string });
    expect(lines.filter(({ level }) => level === 'warn').map(({ msg }) => msg.split(' ')[0])).toEqual([
      'YAMABIKO_REDIS_URL',
      'YAMABIKO_AUTH_URL',
    ]);
    expect(lines.map(({ msg }) => msg)).toEqual(
      expect.arrayContaining(['Yamabiko is listening', 'stopping', 'stopped']),
    );
    expect(stdout).not.toContain(SECRET);
  });
});

describe('a start that fails', () => {
  it('because the port is in use says so in one line, with 1', async () => {
    const port = await takenPort();
    const { code, stderr } = await run(['start', '--port', port]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `yamabiko: port ${port} of 127.0.0.1 is in use: stop what runs there, or set YAMABIKO_PORT\n`,
    });
  });

  it('because of that is a JSON line where the log is JSON', async () => {
    const port = await takenPort();
    const env = { YAMABIKO_JWT_SECRET: SECRET, YAMABIKO_HOST: '127.0.0.1', YAMABIKO_PORT: port };
    const { code, stdout } = await run(['start'], { env });
    expect(code).toBe(1);
    const last =
      stdout
        .trim()
        .split('\n')
        .findLast((line) => line.includes('fatal')) ?? '{}';
    expect(JSON.parse(last)).toMatchObject({ level: 'fatal', msg: expect.stringContaining(`port ${port}`) });
  });

  it('because the host is not ours names the setting', async () => {
    const { code, stderr } = await run(['start', '--port', '0', '--host', '192.0.2.1']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'yamabiko: 192.0.2.1 is no address of this machine: set YAMABIKO_HOST\n',
    });
  });

  it('because of the password of Redis names the setting, in one line without it', async () => {
    const redis = await RedisServer.start(['--requirepass', 'right']);
    onTestFinished(() => redis.stop());
    const env = { YAMABIKO_REDIS_URL: `redis://:hidden@127.0.0.1:${redis.port}` };
    const { code, stdout, stderr } = await run(ANY_PORT, { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^yamabiko: Redis refused .*YAMABIKO_REDIS_URL.*\n$/);
    expect(stdout + stderr).not.toContain('hidden');
  });
});

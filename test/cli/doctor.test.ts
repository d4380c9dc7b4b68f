import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type RunOptions, runDoctor } from '../../server/cli/doctor/run-doctor.ts';
import { Certificates } from '../support/certificates.ts';
import { mintToken } from '../support/jwt.ts';
import { RedisCluster } from '../support/redis-cluster.ts';
import { RedisServer } from '../support/redis-server.ts';
import { startYamabiko } from '../support/yamabiko.ts';
import { emptyFolder, run, SECRET } from './binary.ts';

interface Told {
  readonly check: string;
  readonly level: string;
  readonly says: string;
  readonly cure: string | null;
}

let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());

/** The doctor in this process. @returns all that it says, and its exit code */
async function doctor(env: Record<string, string>, options: Partial<RunOptions> = {}, cwd = emptyFolder()) {
  let out = '';
  const terminal = {
    env: { NODE_ENV: 'production', YAMABIKO_JWT_SECRET: SECRET, ...env },
    cwd,
    interactive: false,
    out: (text: string) => {
      out += text;
    },
    err: () => {},
  };
  const code = await runDoctor({ listen: '0', json: true, ...options }, terminal);
  const told = JSON.parse(out) as Told[];
  /** One line of a check, as people read it. */
  const line = (check: string) =>
    told.filter((one) => one.check === check).map(({ level, says, cure }) => `${level}: ${says} -> ${cure}`);
  return { told, code, line };
}

const onRedis = (prefix = 'laravel_database_') => ({
  YAMABIKO_REDIS_URL: redis.url,
  YAMABIKO_REDIS_PREFIX: prefix,
});

/** Publishes until the test ends, as a busy app does. */
function publishing(channel: string, payload = '{"event":"App\\\\Told","data":{"a":1},"socket":null}'): void {
  const timer = setInterval(() => void redis.client.publish(channel, payload), 20);
  onTestFinished(() => clearInterval(timer));
}

/** A Laravel that answers what the test says, at its own time. */
async function laravelThat(answer: (response: ServerResponse) => void): Promise<Record<string, string>> {
  const server = createServer((_request, response) => answer(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return {
    YAMABIKO_AUTH_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/broadcasting/auth`,
  };
}

const answers = (status: number, body = '', headers: Record<string, string> = {}) =>
  laravelThat((response) => void response.writeHead(status, headers).end(body));

function laravelFolder(env: Record<string, string>): string {
  const folder = emptyFolder();
  const lines = Object.entries(env).map(([name, value]) => `${name}="${value}"`);
  writeFileSync(join(folder, '.env'), lines.join('\n'));
  return folder;
}

describe('settings', () => {
  it('tells every mistake, and looks at nothing more', async () => {
    const { told, code } = await doctor({ YAMABIKO_PORT: 'x', YAMABIKO_REDIS_UR: 'y' });
    expect(told.map(({ says }) => says)).toEqual([
      'YAMABIKO_REDIS_UR: is no setting; did you mean YAMABIKO_REDIS_URL?',
      'YAMABIKO_PORT: must be an integer from 0 to 65535 (got x)',
    ]);
    expect(code).toBe(1);
  });

  it('tells what the start would warn of; a warning fails with --strict alone', async () => {
    const { line, code } = await doctor({});
    expect(line('settings')).toContainEqual(expect.stringMatching(/^warning: YAMABIKO_AUTH_URL is not set/));
    expect(code).toBe(0);
    expect((await doctor({}, { strict: true })).code).toBe(1);
  });
});

describe('Redis', () => {
  it('answers, with its version', async () => {
    const { line } = await doctor(onRedis());
    expect(line('redis')).toEqual([expect.stringMatching(/^ok: Redis \d+\.\d+\S* answers at redis:\/\/127/)]);
    expect(line('redis rights')).toEqual([expect.stringMatching(/^ok/)]);
  });

  it('does not answer', async () => {
    const absent = await RedisServer.absent();
    const { line, code } = await doctor({ YAMABIKO_REDIS_URL: absent.url });
    expect(line('redis')).toEqual([expect.stringMatching(/^fault: nothing answers at .*ECONNREFUSED/)]);
    expect(code).toBe(1);
  });

  it('refuses the password', async () => {
    const { line } = await doctor({ YAMABIKO_REDIS_URL: redis.urlAs('nobody', 'the-password') });
    expect(line('redis')).toEqual([expect.stringMatching(/^fault: Redis refused the user or password/)]);
    expect(line('redis').join()).not.toContain('the-password');
  });

  it('gives the user too few rights, all of which are named at once', async () => {
    await redis.client.call(
      'ACL',
      'SETUSER',
      'few',
      'reset',
      'on',
      '>pw',
      '+@all',
      '-publish',
      '-zadd',
      '~*',
      '&*',
    );
    const { line, code } = await doctor({ ...onRedis(), YAMABIKO_REDIS_URL: redis.urlAs('few', 'pw') });
    expect(line('redis rights')).toEqual([
      expect.stringMatching(
        /^fault: the user may not PUBLISH laravel_database_#yamabiko:doctor, ZADD .* -> it needs commands \+hello/,
      ),
    ]);
    expect(code).toBe(1);
  });

  it('gives the rights to another prefix', async () => {
    await redis.client.call('ACL', 'SETUSER', 'other', 'reset', 'on', '>pw', '+@all', '~app_*', '&app_*');
    const { line } = await doctor({ ...onRedis(), YAMABIKO_REDIS_URL: redis.urlAs('other', 'pw') });
    expect(line('redis rights').join()).toMatch(
      /^fault: .*PUBLISH laravel_database_.*HSET laravel_database_yamabiko.*SUBSCRIBE laravel_database_broadcast/,
    );
  });

  it('gives all rights but those for the history', async () => {
    await redis.client.call('ACL', 'SETUSER', 'plain', 'reset', 'on', '>pw', '+@all', '-@stream', '~*', '&*');
    const { line, code } = await doctor({ ...onRedis(), YAMABIKO_REDIS_URL: redis.urlAs('plain', 'pw') });
    expect(line('redis rights')).toEqual([
      expect.stringMatching(/^warning: the user may not XADD .*no history is kept/),
    ]);
    expect(code).toBe(0);
  });

  it('is a Cluster: looked at where we are connected to', async () => {
    const cluster = await RedisCluster.start();
    onTestFinished(() => cluster.stop());
    const { line } = await doctor({ YAMABIKO_REDIS_URL: cluster.url });
    expect(line('redis')).toEqual([expect.stringMatching(/^ok/)]);
    expect(line('redis rights')).toEqual([expect.stringMatching(/^ok/)]);
    expect(line('events')).toEqual([expect.stringMatching(/nothing was published/)]);
  });

  it('is left as it was', async () => {
    await redis.client.flushall();
    await doctor(onRedis());
    expect(await redis.client.keys('*')).toEqual([]);
  });
});

describe('events', () => {
  it('come', async () => {
    publishing('laravel_database_private-orders.1');
    const { line } = await doctor(onRedis(), { listen: '0.3' });
    expect(line('events')).toEqual([expect.stringMatching(/^ok: \d+ events came .*private-orders\.1/)]);
  });

  it.each([
    ['', 'laravel_database_private-orders.1', 'laravel_database_'],
    ['laravel_database_', 'laravel-database-presence-chat.1', 'laravel-database-'],
    ['laravel_database_', 'private-orders.1', ''],
    ['laravel-database-', 'my_app_database_news', 'my_app_database_'],
    [
      'laravel_database_',
      'laravel_database_laravel_database_private-x',
      'laravel_database_laravel_database_',
    ],
  ])('with the prefix "%s" %s is told to need "%s"', async (ours, channel, theirs) => {
    publishing(channel);
    const { line, code } = await doctor(onRedis(ours), { listen: '0.3' });
    const shown = (prefix: string) => (prefix === '' ? "'' (empty)" : `\`${prefix}\``);
    expect(line('events')).toEqual([
      expect.stringContaining(
        `events arrive under ${shown(theirs)}, your prefix is ${shown(ours)} -> set YAMABIKO_REDIS_PREFIX=${theirs}`,
      ),
    ]);
    expect(code).toBe(1);
  });

  it('of another app beside ours are no fault', async () => {
    publishing('laravel_database_private-orders.1');
    publishing('other_database_private-orders.1');
    const { line, code } = await doctor(onRedis(), { listen: '0.3' });
    expect(line('events')).toEqual([
      expect.stringMatching(/^warning: \d+ events arrive under `other_database_`.*another app's/),
      expect.stringMatching(/^ok/),
    ]);
    expect(code).toBe(0);
  });

  it('of the custom channel count too', async () => {
    publishing('else_broadcast', '{"channel":"chat:1","data":{},"type":"message"}');
    const { line } = await doctor(onRedis(), { listen: '0.3' });
    expect(line('events')).toEqual([expect.stringContaining('under `else_`')]);
  });

  it('are not what others publish for themselves', async () => {
    publishing('chatter', '{"hello":1}');
    const { line } = await doctor(onRedis(), { listen: '0.3' });
    expect(line('events')).toEqual([expect.stringMatching(/^warning: nothing was published/)]);
  });

  it('do not come at all: queue worker, driver, Redis', async () => {
    const { line, code } = await doctor(onRedis());
    expect(line('events')).toEqual([
      expect.stringMatching(/nothing was published.*queue:work.*BROADCAST_CONNECTION.*log.*--laravel/),
    ]);
    expect(code).toBe(0);
  });

  it('cannot be looked for where the user may not hear all', async () => {
    await redis.client.call(
      'ACL',
      'SETUSER',
      'ours',
      'reset',
      'on',
      '>pw',
      '+@all',
      '~*',
      '&laravel_database_*',
    );
    const { line } = await doctor({ ...onRedis(), YAMABIKO_REDIS_URL: redis.urlAs('ours', 'pw') });
    expect(line('events')).toEqual([expect.stringMatching(/^note: Redis lets this user not listen/)]);
  });
});

describe('the queue', () => {
  it('has jobs that nobody takes', async () => {
    await redis.client.rpush('laravel_database_queues:default', 'job', 'job');
    onTestFinished(async () => void (await redis.client.flushall()));
    const { line } = await doctor(onRedis());
    expect(line('queue')).toEqual([expect.stringMatching(/^warning: 2 jobs wait .*queue:work/)]);
  });

  it('is worked on', async () => {
    await redis.client.rpush('laravel_database_queues:default', 'job', 'job');
    const timer = setInterval(() => void redis.client.lpop('laravel_database_queues:default'), 20);
    onTestFinished(() => clearInterval(timer));
    expect((await doctor(onRedis(), { listen: '0.3' })).line('queue')).toEqual([]);
  });
});

describe("Laravel's .env", () => {
  const look = async (env: Record<string, string>, ours = 'laravel_database_') =>
    (await doctor({ YAMABIKO_REDIS_PREFIX: ours }, { laravel: laravelFolder(env) })).line('laravel .env');

  it.each([
    [{ BROADCAST_CONNECTION: 'redis', APP_NAME: 'Laravel' }, 'laravel_database_', /^ok/],
    [{ BROADCAST_DRIVER: 'redis', APP_NAME: 'My Shop' }, 'my-shop-database-', /^ok/],
    [{ BROADCAST_CONNECTION: 'redis', REDIS_PREFIX: '' }, '', /^ok/],
    [
      { BROADCAST_CONNECTION: 'log' },
      'laravel_database_',
      /^fault: BROADCAST_CONNECTION=log: events do not go to Redis/,
    ],
    [{ BROADCAST_DRIVER: 'pusher' }, 'laravel_database_', /^fault: BROADCAST_DRIVER=pusher/],
    [{}, 'laravel_database_', /^fault: it names no broadcaster/],
    [
      { BROADCAST_CONNECTION: 'redis', REDIS_PREFIX: 'a_' },
      'b_',
      /^fault: REDIS_PREFIX=a_, your prefix is b_ -> set YAMABIKO_REDIS_PREFIX=a_/,
    ],
    [
      { BROADCAST_CONNECTION: 'redis', APP_NAME: 'My Shop' },
      '',
      /^warning: APP_NAME=My Shop .*my_shop_database_.*my-shop-database-, yours is ''/,
    ],
  ])('%j with our prefix "%s"', async (env, ours, told) => {
    expect(await look(env, ours)).toEqual([expect.stringMatching(told)]);
  });

  it('is told when it is not there', async () => {
    await expect(doctor({}, { laravel: emptyFolder() })).rejects.toThrow(/--laravel: .*ENOENT/);
  });
});

describe('Laravel', () => {
  const page = { 'content-type': 'text/html; charset=UTF-8' };
  it.each([
    ['a guest refused', 403, '{"message":""}', {}, /^ok: it refuses a guest with 403/],
    ['a guest refused by a guard', 401, '{}', {}, /^ok/],
    [
      'a login page',
      200,
      '<!DOCTYPE html>',
      page,
      /^fault: it answers 200 with a page of HTML: a login page/,
    ],
    ['a yes to everybody', 200, 'true', page, /^warning: it lets a guest into/],
    ['a redirect', 302, '', { location: '/login' }, /^fault: it redirects to \/login/],
    [
      'no route',
      404,
      '',
      {},
      /^fault: it answers 404: there is no such route .*BroadcastServiceProvider.*install:broadcasting/,
    ],
    ['GET alone', 405, '', {}, /^fault: it answers 405/],
    ['a CSRF check', 419, '', {}, /^fault: it answers 419: it wants a CSRF token.*VerifyCsrfToken/],
    ['a throttle', 429, '', {}, /^fault: it answers 429/],
    ['an exception', 500, '', {}, /^fault: it answers 500.*laravel\.log/],
    ['maintenance', 503, '', {}, /^fault: it answers 503.*artisan up/],
    ['something else', 418, '', {}, /^fault: it answers 418, which is neither/],
  ])('answers with %s', async (_what, status, body, headers, told) => {
    const { line, code } = await doctor(await answers(status, body, headers));
    expect(line('laravel')).toEqual([expect.stringMatching(told)]);
    expect(code).toBe(line('laravel')[0]?.startsWith('fault') === true ? 1 : 0);
  });

  it('does not answer', async () => {
    const { line } = await doctor({ YAMABIKO_AUTH_URL: 'http://127.0.0.1:9/broadcasting/auth' });
    expect(line('laravel')).toEqual([
      expect.stringMatching(/^fault: http:\/\/127.0.0.1:9 does not answer \(ECONNREFUSED\)/),
    ]);
  });

  it('shows a certificate that nobody knows', async () => {
    const authority = new Certificates();
    onTestFinished(() => authority.remove());
    const { cert, key } = authority.issue('laravel', 'IP:127.0.0.1');
    const server = await startYamabiko(
      { YAMABIKO_TLS_CERT: cert, YAMABIKO_TLS_KEY: key },
      {},
      async () => true,
    );
    onTestFinished(() => server.stop());
    const { line } = await doctor({ YAMABIKO_AUTH_URL: `${server.url}/broadcasting/auth` });
    expect(line('laravel')).toEqual([
      expect.stringMatching(/^fault: the certificate of https:.* NODE_EXTRA_CA_CERTS/),
    ]);
  });
});

describe('clocks', () => {
  const off = (seconds: number) => new Date(Date.now() + seconds * 1000).toUTCString();

  it('go together', async () => {
    const { line } = await doctor({ ...(await answers(403)), ...onRedis() });
    expect(line('clocks')).toEqual(["ok: goes with Laravel's and Redis's -> null"]);
  });

  it.each([
    [120, /^fault: Laravel's clock is 1(20|19) s ahead of/],
    [-120, /^fault: Laravel's clock is 12[01] s behind/],
  ])("Laravel's is %i s off", async (seconds, told) => {
    const { line, code } = await doctor(await answers(403, '', { date: off(seconds) }));
    expect(line('clocks')).toEqual([expect.stringMatching(told)]);
    expect(code).toBe(1);
  });
});

describe('a token', () => {
  const look = async (token: string, env: Record<string, string> = {}) =>
    (await doctor(env, { token })).line('token');

  it('is good', async () => {
    expect(await look(mintToken({}, { secret: SECRET }))).toEqual([
      expect.stringMatching(/^ok: it opens chat:1 for user 1, (3600|3599) s more/),
    ]);
  });

  it('is signed with another secret', async () => {
    expect(await look(mintToken({}, { secret: 'x'.repeat(32) }))).toEqual([
      expect.stringMatching(
        /^fault: it would be refused, token_invalid: .*signature.* YAMABIKO_JWT_SECRET must be, byte for byte/,
      ),
    ]);
  });

  it.each([
    [{ exp: 1 }, /token_expired/],
    [{ id: 'x' }, /token_invalid: .*id/],
    [{ channel: 'private-x' }, /invalid_channel: .*without private- or presence-/],
  ])('has wrong claims: %j', async (claims, told) => {
    expect(await look(mintToken(claims, { secret: SECRET }))).toEqual([expect.stringMatching(told)]);
  });
});

describe('origins', () => {
  const look = async (env: Record<string, string>, options: Partial<RunOptions>) =>
    (await doctor(env, options)).line('origins');
  const appUrl = 'https://www.example.com/';

  it.each([
    [{ YAMABIKO_ORIGINS: 'https://www.example.com' }, { appUrl }, /^ok/],
    [{}, { appUrl }, /^note: .*same host name -> else set YAMABIKO_ORIGINS=https:\/\/www\.example\.com/],
    [{ YAMABIKO_ORIGINS: '*' }, { appUrl }, /^warning: pages of every site/],
    [{}, { appUrl: 'localhost' }, /^fault: APP_URL=localhost is no address/],
    [
      {},
      { appUrl, url: 'http://127.0.0.1:9' },
      /^fault: pages of https:\/\/www\.example\.com may not connect to 127\.0\.0\.1 -> set/,
    ],
    [{}, { appUrl: 'http://127.0.0.1', url: 'http://127.0.0.1:9' }, /^ok: .*own host/],
  ])('%j with %j', async (env, options, told) => {
    expect(await look(env, options)).toEqual([expect.stringMatching(told)]);
  });

  it("takes APP_URL of Laravel's .env", async () => {
    const laravel = laravelFolder({ APP_URL: 'https://app.test' });
    expect((await look({}, { laravel })).join()).toContain('https://app.test');
  });
});

describe('the running server', () => {
  it('is ready, and keeps a polling session', async () => {
    const server = await startYamabiko();
    onTestFinished(() => server.stop());
    expect((await doctor({}, { url: server.url })).line('server')).toEqual([
      expect.stringMatching(/^ok: ready, and a polling/),
    ]);
    await server.settledToZero();
  });

  it('does not run', async () => {
    expect((await doctor({}, { url: 'http://127.0.0.1:9' })).line('server')).toEqual([
      expect.stringMatching(/^fault: nothing answers at http:\/\/127\.0\.0\.1:9 \(ECONNREFUSED\)/),
    ]);
  });

  it('is no Yamabiko', async () => {
    const { YAMABIKO_AUTH_URL: url = '' } = await answers(404);
    expect((await doctor({}, { url })).line('server')).toEqual([
      expect.stringMatching(/^fault: it answers 404 at/),
    ]);
  });

  it('stands behind a balancer that is not sticky', async () => {
    const nodes = await Promise.all([startYamabiko(), startYamabiko()]);
    onTestFinished(async () => void (await Promise.all(nodes.map((node) => node.stop()))));
    let turn = 0;
    const balancer = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const node = nodes[turn++ % nodes.length];
      const answer = await fetch(`${node?.url}${request.url}`, {
        method: request.method ?? 'GET',
        ...(request.method === 'POST' && { body: Buffer.concat(chunks) }),
      });
      response.writeHead(answer.status).end(await answer.text());
    }).listen(0, '127.0.0.1');
    await once(balancer, 'listening');
    onTestFinished(() => void balancer.close());
    const url = `http://127.0.0.1:${(balancer.address() as AddressInfo).port}`;
    expect((await doctor({}, { url })).line('server')).toEqual([
      expect.stringMatching(/^fault: a polling session meets another node.*sticky/),
    ]);
  });
});

describe('the certificate', () => {
  it('is good for some days only', async () => {
    const authority = new Certificates();
    onTestFinished(() => authority.remove());
    const { cert, key } = authority.issue('server', 'IP:127.0.0.1');
    const { line } = await doctor({ YAMABIKO_TLS_CERT: cert, YAMABIKO_TLS_KEY: key });
    expect(line('tls')).toEqual([expect.stringMatching(/^warning: the certificate ends on \d{4}-/)]);
  });

  it('is missing where pages come by https', async () => {
    const { line } = await doctor({}, { appUrl: 'https://www.example.com' });
    expect(line('tls')).toEqual([expect.stringMatching(/^note: this server speaks plain HTTP/)]);
  });
});

describe('the command', () => {
  it('says a line for each, and ends with 1 where there is a fault', async () => {
    const env = {
      NODE_ENV: 'production',
      YAMABIKO_JWT_SECRET: SECRET,
      YAMABIKO_REDIS_URL: 'redis://127.0.0.1:9',
    };
    const { code, stdout, stderr } = await run(['doctor'], { env });
    expect([code, stderr]).toEqual([1, '']);
    expect(stdout).toMatch(
      /^fault {4}redis {9}nothing answers at redis:\/\/127\.0\.0\.1:9 \(ECONNREFUSED\): start Redis/m,
    );
    expect(
      stdout
        .trim()
        .split('\n')
        .every((line) => /^(ok|note|warning|fault) /.test(line)),
    ).toBe(true);
  });

  it('ends with 0 where there is none, and with 2 for a wrong flag', async () => {
    const env = { NODE_ENV: 'production', YAMABIKO_JWT_SECRET: SECRET };
    expect((await run(['doctor'], { env })).code).toBe(0);
    expect((await run(['doctor', '--listen', 'long'], { env })).code).toBe(2);
    expect((await run(['doctor', '--url', 'here'], { env })).code).toBe(2);
  });

  it('finds a low limit on open files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'yamabiko-doctor-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const binary = fileURLToPath(new URL('../../dist/server/main.js', import.meta.url));
    const script = 'ulimit -n 512; exec "$@"';
    const out = execFileSync('sh', ['-c', script, 'sh', process.execPath, binary, 'doctor'], {
      cwd: folder,
      env: { PATH: process.env.PATH, YAMABIKO_JWT_SECRET: SECRET },
      encoding: 'utf8',
    });
    expect(out).toMatch(/^warning {2}open files {4}up to 512 may be open here, but 20000 connections/m);
  });
});

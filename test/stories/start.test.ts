import { describe, expect, it, onTestFinished } from 'vitest';
import { SECRET } from '../cli/binary.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { RedisServer } from '../support/redis-server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { WireClient } from '../support/wire-client.ts';

const PASSWORD = 'pass-word-of-redis';
/** What the keys and channels of ours are, and the commands that a server needs. */
const SCOPE = '~laravel_database_yamabiko:* resetchannels &laravel_database_*';

async function redisOf(args: string[] = []): Promise<RedisServer> {
  const redis = await RedisServer.start(args);
  onTestFinished(() => redis.stop());
  return redis;
}

/** A Redis with a user `yama` who has these rights. */
async function redisWithUser(rights: string): Promise<RedisServer> {
  const redis = await redisOf();
  await redis.client.call('ACL', 'SETUSER', 'yama', 'on', `>${PASSWORD}`, ...rights.split(' '));
  return redis;
}

async function endsWithout(url: string, env: Record<string, string> = {}): Promise<string> {
  const server = new ServerProcess({ YAMABIKO_REDIS_URL: url, ...env });
  const { code, stdout, stderr } = await server.ended;
  expect(code).toBe(1);
  expect(stdout + stderr).not.toContain(PASSWORD);
  const fatal = server.lines().filter(({ level }) => level === 'fatal');
  expect(fatal).toHaveLength(1);
  return fatal[0]?.msg ?? '';
}

describe('a start', () => {
  it('where Redis is unreachable serves as not ready, refuses with a code, and recovers', async () => {
    const redis = await RedisServer.absent();
    onTestFinished(() => redis.stop());
    const server = await ServerProcess.listening({ YAMABIKO_REDIS_URL: redis.url, YAMABIKO_APPS: 'app:key' });
    const { url } = server;
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    expect((await fetch(`${url}/health/ready`)).status).toBe(503);
    const token = mintToken({ channel: 'chat:1' }, { secret: SECRET });
    const early = await RawClient.open({ url, token });
    expect(await early.next()).toMatchObject({ type: 'error', code: 'unavailable' });
    expect((await early.closed()).code).toBe(1013);
    const page = await WireClient.open({ url });
    onTestFinished(() => page.close());
    expect(await page.subscribe('news')).toMatchObject({ ok: false, code: 'unavailable', status: 503 });
    const asked = await fetch(`${url}/apps/app/status`, { headers: { authorization: 'Bearer key' } });
    expect(asked.status).toBe(503);

    await redis.restart();
    await server.answersReady(200);
    const client = await RawClient.join({ url, token });
    expect(client.connected.users).toEqual([{ id: 1, name: 'alice' }]);
    expect((await page.subscribe('news')).ok).toBe(true);
    await redis.client.publish('laravel_database_news', '{"event":"hi","data":{},"socket":null}');
    await page.next('hi');
    server.kill('SIGTERM');
    expect(await server.ended).toMatchObject({ code: 0 });
  });

  it('with a wrong password ends with 1 and names the setting, not the password', async () => {
    const redis = await redisWithUser('~* &* +@all');
    const said = await endsWithout(redis.urlAs('yama', `${PASSWORD}-not`));
    expect(said).toMatch(/password.*YAMABIKO_REDIS_URL/);
  });

  it('without a password where one is needed ends too', async () => {
    const redis = await redisOf(['--requirepass', PASSWORD]);
    expect(await endsWithout(redis.url)).toMatch(/password.*YAMABIKO_REDIS_URL/);
  });

  it.each([
    ['to subscribe', `${SCOPE} +@all -subscribe`, /SUBSCRIBE/],
    ['to publish', `${SCOPE} +@all -publish`, /PUBLISH/],
    ['to run scripts', `${SCOPE} +@all -@scripting`, /eval/i],
    ['to any channel', '~* resetchannels +@all', /laravel_database_/],
    ['to its keys', '~other:* &* +@all', /laravel_database_yamabiko/],
    [
      'to the custom channel',
      '~* resetchannels &laravel_database_yamabiko* &laravel_database_#* +@all',
      /broadcast/,
    ],
  ])('without the right %s ends with 1 and names it', async (right, rights, named) => {
    const redis = await redisWithUser(rights);
    // The log hears by PSUBSCRIBE alone; where it may not, plain delivery says what that lacks.
    const plain = right === 'to subscribe' ? { YAMABIKO_RECOVERY: 'off' } : {};
    const said = await endsWithout(redis.urlAs('yama', PASSWORD), plain);
    expect(said).toMatch(named);
    expect(said).toMatch(/needs .*\+subscribe/);
  });
});

describe('a running server', { timeout: 60_000 }, () => {
  it('survives every fault of Redis, and is not noisy about it', async () => {
    const redis = await redisOf();
    const env = { YAMABIKO_REDIS_URL: redis.url, YAMABIKO_APPS: 'app:key', YAMABIKO_NODE_TTL_MS: '1500' };
    // A second node: what nodes ask each other is under way while Redis goes.
    const [server] = await Promise.all([
      ServerProcess.ready({ ...env, YAMABIKO_REDIS_COMMAND_TIMEOUT_MS: '500' }),
      ServerProcess.ready(env),
    ]);
    const page = await WireClient.open({ url: server.url });
    onTestFinished(() => page.close());
    await page.subscribe('news');
    const ask = () =>
      fetch(`${server.url}/apps/app/channels`, { headers: { authorization: 'Bearer key' } }).then(
        ({ status }) => status,
      );
    const faults: (() => Promise<void>)[] = [
      async () => {
        const asking = [ask(), ask()];
        await redis.kill();
        await Promise.all([...asking, ask()]);
        await server.answersReady(503);
        await redis.restart();
      },
      async () => {
        redis.pause();
        await Promise.all([ask(), page.subscribe('paused'), page.whisper('news', 'client-x', {})]);
        await server.answersReady(503);
        redis.resume();
      },
      async () => {
        await Promise.all([ask(), redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub'), ask()]);
      },
      async () => {
        await Promise.all([ask(), redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal'), ask()]);
      },
      async () => void (await redis.client.flushall()),
      async () => {
        // Every right is taken away from the connections that live, then they are cut.
        await redis.client.call(
          'ACL',
          'SETUSER',
          'default',
          '-publish',
          '-subscribe',
          '-eval',
          '-evalsha',
          '-pubsub',
        );
        await Promise.all([ask(), page.subscribe('denied')]);
        await redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
        await server.answersReady(503);
        // A rejection that nobody caught would have ended the process.
        await server.says(/Redis refused what nodes ask each other/);
        await redis.client.call('ACL', 'SETUSER', 'default', '+@all');
      },
    ];
    for (const fault of faults) {
      await fault();
      await server.answersReady(200);
      // Not once: what is published in the moment in which nobody listens is lost (and told).
      const hi = '{"event":"hi","data":{},"socket":null}';
      const publishing = setInterval(() => void redis.client.publish('laravel_database_news', hi), 100);
      await page.next('hi');
      clearInterval(publishing);
    }
    expect(page.unread().map(({ event }) => event)).not.toContain('disconnect');
    server.kill('SIGTERM');
    const { code, stderr } = await server.ended;
    expect(code).toBe(0);
    expect(stderr).toBe('');
    const lines = server.lines();
    expect(lines.filter(({ level }) => level === 'fatal')).toEqual([]);
    expect(lines.filter(({ msg }) => msg.startsWith('Redis is back: ready')).length).toBeGreaterThanOrEqual(
      3,
    );
    const told = new Map<string, number>();
    for (const { msg } of lines) told.set(msg, (told.get(msg) ?? 0) + 1);
    for (const [msg, count] of told) expect(`${msg}: ${count <= 3 * faults.length}`).toBe(`${msg}: true`);
  });
});

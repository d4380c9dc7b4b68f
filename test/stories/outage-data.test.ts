import { describe, expect, it, onTestFinished } from 'vitest';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { RedisServer } from '../support/redis-server.ts';
import { WireClient } from '../support/wire-client.ts';
import { startYamabiko, until } from '../support/yamabiko.ts';

const token = (id: number, name: string) => mintToken({ id, name, channel: 'chat:d' });

/** One node with a raw client and a page by JWT in one room; ended after the story, whatever became of it. */
async function stage(
  redisArgs: readonly string[],
  url: (redis: RedisServer) => string = (redis) => redis.url,
) {
  const redis = await RedisServer.start(redisArgs);
  onTestFinished(() => redis.stop());
  const node = await startYamabiko({ YAMABIKO_REDIS_URL: url(redis) });
  onTestFinished(() => node.stop());
  const raw = await RawClient.join({ url: node.url, token: token(1, 'ada') });
  const page = await WireClient.open({ url: node.url });
  await page.subscribe('presence-chat:d', { token: token(2, 'bob') });
  await raw.next('connectOther');
  const readyIs = (status: number) =>
    until(
      async () => (await fetch(`${node.url}/health/ready`)).status === status,
      `ready: ${status}`,
      30_000,
    );
  /** Both are there still, hear what is published, and were shown nobody come or go; then they leave. */
  const end = async () => {
    await redis.client.publish(
      'laravel_database_broadcast',
      '{"channel":"chat:d","data":{"message":"m","name":"n"}}',
    );
    expect(await raw.next()).toMatchObject({ type: 'message', data: { message: 'm' } });
    await page.next('message');
    expect(page.unread().filter(({ event }) => /joining|leaving|disconnect/.test(event))).toEqual([]);
    const late = await RawClient.join({ url: node.url, token: token(3, 'eve') });
    expect(late.connected.users).toHaveLength(3);
    await late.close();
    page.close();
    await raw.close();
    await node.settledToZero();
  };
  return { redis, node, raw, page, readyIs, end };
}

describe('a Redis', { timeout: 90_000 }, () => {
  it('that is restarted with its data shows nobody coming or going', async () => {
    const { redis, readyIs, end } = await stage(['--appendonly', 'yes', '--appendfsync', 'always']);
    await redis.kill();
    await readyIs(503);
    await redis.restart();
    expect(await redis.client.exists('laravel_database_yamabiko:nodes')).toBe(1);
    await readyIs(200);
    await end();
  });

  it('that takes a right away is an outage, told once by the name of the right, until it gives it back', async () => {
    const rights = ['on', '>pw', '~*', '&*', '+@all'];
    const { redis, node, page, readyIs, end } = await stage(['--user', 'app', ...rights], (server) =>
      server.urlAs('app', 'pw'),
    );
    await redis.client.call('ACL', 'SETUSER', 'app', '-publish');
    await readyIs(503);
    expect(await page.send('presence-chat:d', { message: 'x', name: 'x' })).toMatchObject({
      ok: false,
      error: { code: 'unavailable' },
    });
    // Long enough for several tries, of which only the first is told.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const told = node.log.filter(
      ({ level, fields }) => level === 'error' && JSON.stringify(fields, errors).includes('PUBLISH'),
    );
    expect(told).toHaveLength(1);
    await redis.client.call('ACL', 'SETUSER', 'app', '+publish');
    await readyIs(200);
    await end();
  });

  it('that stands still for twenty seconds, twice the lease, shows nobody leaving', async () => {
    const { redis, page, readyIs, end } = await stage([]);
    redis.pause();
    await readyIs(503);
    expect(await page.send('presence-chat:d', { message: 'x', name: 'x' })).toMatchObject({
      error: { code: 'unavailable' },
    });
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    redis.resume();
    await readyIs(200);
    await end();
  });
});

/** JSON says nothing of an error by itself. */
function errors(_key: string, value: unknown): unknown {
  return value instanceof Error ? value.message : value;
}

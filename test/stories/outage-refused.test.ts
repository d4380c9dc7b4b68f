import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { RedisServer } from '../support/redis-server.ts';
import { WireClient } from '../support/wire-client.ts';
import { type Running, startYamabiko, until } from '../support/yamabiko.ts';

/** A Redis that answers, but does not do what it is asked. */
describe('a Redis that refuses', () => {
  let redis: RedisServer;
  let node: Running;
  let raw: RawClient;
  let page: WireClient;

  beforeEach(async () => {
    redis = await RedisServer.start();
    node = await startYamabiko({ YAMABIKO_REDIS_URL: redis.url, YAMABIKO_REDIS_COMMAND_TIMEOUT_MS: '500' });
    raw = await RawClient.join({
      url: node.url,
      token: mintToken({ id: 1, name: 'ada', channel: 'chat:r' }),
    });
    page = await WireClient.open({ url: node.url });
    await page.subscribe('presence-chat:r', { token: mintToken({ id: 2, name: 'bob', channel: 'chat:r' }) });
    await page.subscribe('news');
    await raw.next('connectOther');
  });
  afterEach(async () => {
    page.close();
    await raw.close();
    await node.settledToZero();
    await node.stop();
    await redis.stop();
  });

  const readyIs = (status: number) =>
    until(
      async () => (await fetch(`${node.url}/health/ready`)).status === status,
      `/health/ready answers ${status}`,
      20_000,
    );

  /** Both are there still, hear what is published, and were shown nobody come or go. */
  async function allIsRight(): Promise<void> {
    await redis.client.publish(
      'laravel_database_broadcast',
      '{"channel":"chat:r","data":{"message":"m","name":"n"}}',
    );
    expect(await raw.next()).toMatchObject({ type: 'message', data: { message: 'm' } });
    await page.next('message');
    expect(page.unread().filter(({ event }) => /joining|leaving|disconnect/.test(event))).toEqual([]);
    const late = await RawClient.join({
      url: node.url,
      token: mintToken({ id: 3, name: 'eve', channel: 'chat:r' }),
    });
    expect(late.connected.users).toHaveLength(3);
    await late.close();
    await raw.next('disconnectOther');
  }

  it('because it is out of memory: joins are refused, clients stay, and all is right when it has some', async () => {
    await redis.client.config('SET', 'maxmemory-policy', 'noeviction');
    await redis.client.config('SET', 'maxmemory', '1');
    await readyIs(503);
    const ack = await page.subscribe('presence-chat:other', {
      token: mintToken({ id: 2, name: 'bob', channel: 'chat:other' }),
    });
    expect(ack).toMatchObject({ ok: false, code: 'unavailable' });
    await redis.client.config('SET', 'maxmemory', '0');
    await readyIs(200);
    await allIsRight();
  });

  it('because it is a replica now: joins are refused, clients stay, and all is right when it is master again', async () => {
    await redis.client.replicaof('127.0.0.1', 1);
    await readyIs(503);
    const ack = await page.subscribe('presence-chat:other', {
      token: mintToken({ id: 2, name: 'bob', channel: 'chat:other' }),
    });
    expect(ack).toMatchObject({ ok: false, code: 'unavailable' });
    await redis.client.replicaof('NO', 'ONE');
    await readyIs(200);
    await allIsRight();
  });

  it('to go on because one event was larger than its output buffer: the gap is told, and all is right again', async () => {
    await redis.client.config('SET', 'client-output-buffer-limit', 'pubsub 1mb 512kb 1');
    const big = JSON.stringify({ event: 'Big', data: { text: 'x'.repeat(40_000_000) }, socket: null });
    await redis.client.publish('laravel_database_news', big);
    expect((await page.next('subscription_gap')).args[1]).toEqual({ reason: 'log_restarted' });
    expect(await node.metric('yamabiko_bus_gaps_total', { reason: 'log_restarted' })).toBe(1);
    await readyIs(200);
    await allIsRight();
  });
});

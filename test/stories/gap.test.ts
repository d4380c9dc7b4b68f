import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectorClient } from '../support/connector-client.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { RedisServer } from '../support/redis-server.ts';
import { WireClient } from '../support/wire-client.ts';
import { type Running, startYamabiko } from '../support/yamabiko.ts';

describe('a gap in what the bus brings', () => {
  let redis: RedisServer;
  let node: Running;
  beforeAll(async () => {
    redis = await RedisServer.start();
    node = await startYamabiko({ YAMABIKO_REDIS_URL: redis.url, YAMABIKO_RECOVERY: 'off' });
  });
  afterAll(async () => {
    await node?.stop();
    await redis?.stop();
  });

  it('is told with plain delivery to clients that can hear it, counted, and logged with its length', async () => {
    const token = (channel: string) => mintToken({ channel });
    const wire = await WireClient.open({ url: node.url });
    await wire.subscribe('news');
    await wire.subscribe('chat:gap', { token: token('chat:gap') });
    const connector = await ConnectorClient.open({ url: node.url, token });
    const channel = connector.channel('chat:gap');
    await channel.next('subscribed');
    const told = new Promise((resolve) => channel.channel.onGap(resolve));
    const raw = await RawClient.join({ url: node.url, token: token('chat:gap') });

    await redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    const gaps = [await wire.next('subscription_gap'), await wire.next('subscription_gap')];
    expect(gaps.map(({ args }) => args)).toEqual(
      expect.arrayContaining([
        ['news', { reason: 'connection_lost' }],
        ['chat:gap', { reason: 'connection_lost' }],
      ]),
    );
    expect(await told).toEqual({ reason: 'connection_lost', position: null });
    await node.ready();
    expect(await node.metric('yamabiko_bus_gaps_total', { reason: 'connection_lost' })).toBe(1);
    expect(node.log).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        fields: { reason: 'connection_lost', lengthMs: expect.any(Number) },
      }),
    );

    // The raw protocol has no such frame: the next one is the message.
    await redis.client.publish(
      'laravel_database_broadcast',
      '{"channel":"chat:gap","data":{"message":"m","name":"n"}}',
    );
    expect(await raw.next()).toMatchObject({ type: 'message' });
    wire.close();
    connector.close();
    await raw.close();
    await node.settledToZero();
  });

  it('is told at its place to clients that can hear it, counted, and logged', async () => {
    const node = await startYamabiko({ YAMABIKO_REDIS_URL: redis.url, YAMABIKO_REDIS_PREFIX: 'gap:' });
    const token = (channel: string) => mintToken({ channel });
    const wire = await WireClient.open({ url: node.url });
    await wire.subscribe('news');
    const connector = await ConnectorClient.open({ url: node.url, token });
    const channel = connector.channel('chat:gap');
    await channel.next('subscribed');
    const told = new Promise((resolve) => channel.channel.onGap(resolve));

    // In one turn of Redis: nobody listens when it is published.
    const lost = '{"event":"Lost","data":{},"socket":null}';
    await redis.client.multi().call('CLIENT', 'KILL', 'TYPE', 'pubsub').publish('gap:news', lost).exec();
    await redis.client.publish('gap:news', '{"event":"After","data":{},"socket":null}');
    const gap = await wire.next('subscription_gap');
    expect(gap.args).toEqual(['news', { reason: 'log_restarted' }]);
    // The place before it: a client that is cut now is told once more.
    expect(gap.position).toMatch(/^\d+-0$/);
    expect(await told).toMatchObject({ reason: 'log_restarted' });
    await redis.client.publish('gap:news', '{"event":"Later","data":{},"socket":null}');
    const later = await wire.next('Later');
    expect(later.position?.split('-')[0]).toBe(gap.position?.split('-')[0]);
    expect(await node.metric('yamabiko_bus_gaps_total', { reason: 'log_restarted' })).toBe(1);
    expect(node.log).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        fields: expect.objectContaining({ reason: 'log_restarted' }),
      }),
    );
    wire.close();
    connector.close();
    await node.settledToZero();
    await node.stop();
  });
});

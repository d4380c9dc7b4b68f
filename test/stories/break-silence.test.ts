import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startAuthEndpoint } from '../support/auth-endpoint.ts';
import { EchoClient } from '../support/echo-client.ts';
import { RedisServer } from '../support/redis-server.ts';
import { type Running, startYamabiko, until } from '../support/yamabiko.ts';

const EVENT = '{"event":"App\\\\Told","data":{"a":1},"socket":null}';
const OUTSIDE = /^events arrive /;
const REFUSED = /^subscriptions are refused again and again/;
const NOBODY = /^Laravel publishes on a channel that nobody may join/;

let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());

async function node(prefix: string, env: Record<string, string> = {}): Promise<Running> {
  const running = await startYamabiko({
    YAMABIKO_REDIS_URL: redis.url,
    YAMABIKO_REDIS_PREFIX: prefix,
    YAMABIKO_EXPLAIN_MS: '300',
    ...env,
  });
  onTestFinished(() => running.stop());
  return running;
}

function publishing(channel: string): void {
  const timer = setInterval(() => void redis.client.publish(channel, EVENT), 10);
  onTestFinished(() => clearInterval(timer));
}

const told = (running: Running, line: RegExp) => running.log.filter(({ message }) => line.test(message));
const tells = (running: Running, line: RegExp, times = 1) =>
  until(() => told(running, line).length >= times, `${line} is told ${times} times`);
const counted = (running: Running, kind: string) => running.metric('yamabiko_silences_total', { kind });

async function refusedPage(url: string, channel: string, times: number): Promise<void> {
  const page = await EchoClient.open({ url });
  onTestFinished(() => page.close());
  for (let i = 0; i < times; i++) {
    page.private(channel);
    expect((await page.settled(`private-${channel}`)).ok).toBe(false);
    page.echo.leave(channel);
  }
}

describe('the server says why nothing arrives', () => {
  it('events come under another prefix: which one, by one node of two, and it is counted', async () => {
    const nodes = [await node('wrong_a_'), await node('wrong_a_')];
    publishing('laravel_database_private-orders.1');
    await until(() => nodes.some((one) => told(one, OUTSIDE).length > 0), 'it is told');
    const lines = nodes.flatMap((one) => told(one, OUTSIDE));
    expect(lines[0]).toMatchObject({
      level: 'warn',
      message:
        "events arrive under 'laravel_database_', but YAMABIKO_REDIS_PREFIX is 'wrong_a_': nobody hears them",
      fields: { channel: 'laravel_database_private-orders.1' },
    });
    const counts = await Promise.all(nodes.map((one) => counted(one, 'outside_prefix')));
    expect(Math.max(...counts)).toBeGreaterThan(0);
  });

  it('says nothing of it where our own events come: then the others are those of another app', async () => {
    const running = await node('right_b_');
    publishing('right_b_private-orders.1');
    publishing('other_database_private-orders.1');
    const page = setInterval(() => void refusedPage(running.url, 'orders.1', 1).catch(() => {}), 100);
    onTestFinished(() => clearInterval(page));
    // Told of the same sample, after what is outside the prefix.
    await tells(running, NOBODY);
    expect(told(running, OUTSIDE)).toEqual([]);
  });

  it('subscriptions are refused again and again: with what, and what that means', async () => {
    const laravel = await startAuthEndpoint();
    onTestFinished(() => laravel.stop());
    const running = await node('right_c_', { YAMABIKO_AUTH_URL: laravel.url, YAMABIKO_EXPLAIN_MS: '1500' });
    await refusedPage(running.url, 'orders.1', 6);
    await tells(running, REFUSED);
    expect(told(running, REFUSED)[0]).toMatchObject({
      message: expect.stringMatching(/with 403: routes\/channels\.php says no/),
      fields: { channel: 'private-orders.1', status: 403 },
    });
    expect(await counted(running, 'refused')).toBeGreaterThan(0);
  });

  it('Laravel publishes on a channel that nobody may join', async () => {
    const running = await node('right_d_');
    publishing('right_d_private-orders.1');
    const page = setInterval(() => void refusedPage(running.url, 'orders.1', 1).catch(() => {}), 100);
    onTestFinished(() => clearInterval(page));
    await tells(running, NOBODY);
    expect(told(running, NOBODY)[0]?.fields).toMatchObject({ channel: 'private-orders.1', status: 403 });
    expect(await counted(running, 'nobody_may_join')).toBeGreaterThan(0);
  });

  it('says once that it may not listen, and goes on', async () => {
    await redis.client.call('ACL', 'SETUSER', 'few', 'reset', 'on', '>pw', '+@all', '~*', '&right_e_*');
    const running = await node('right_e_', { YAMABIKO_REDIS_URL: redis.urlAs('few', 'pw') });
    const line = /^Redis lets this user not hear all channels/;
    await tells(running, line);
    await refusedPage(running.url, 'x', 5);
    await tells(running, REFUSED);
    expect(told(running, line)).toHaveLength(1);
  });

  it('can be told not to', async () => {
    const running = await node('wrong_f_', { YAMABIKO_EXPLAIN_MS: '0' });
    const other = await node('wrong_f_');
    publishing('laravel_database_private-orders.1');
    await tells(other, OUTSIDE);
    expect(told(running, OUTSIDE)).toEqual([]);
  });
});

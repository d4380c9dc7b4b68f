import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { loadConfig } from '../../config/load-config.ts';
import { createLogger } from '../../server/logger/logger.ts';
import { buildServer } from '../../server/server.ts';
import type { YamabikoServer } from '../../server/yamabiko-server.ts';
import { type AuthEndpoint, startAuthEndpoint } from '../support/auth-endpoint.ts';
import { EchoClient } from '../support/echo-client.ts';
import { OldServer } from '../support/old-server.ts';
import { RedisServer } from '../support/redis-server.ts';
import { until } from '../support/yamabiko.ts';

// The first run installs laravel-echo-server from npm.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 240_000 });

const PREFIX = 'laravel_database_';

let redis: RedisServer;
let laravel: AuthEndpoint;
let old: OldServer;
let ours: Awaited<ReturnType<typeof startOurs>>;

/** Ours reads the old one's config file as it is; only the port is another. */
async function startOurs(): Promise<{ readonly url: string; readonly server: YamabikoServer }> {
  const env = { YAMABIKO_PORT: '0' };
  const loaded = loadConfig({ configFile: 'laravel-echo-server.json', env, cwd: old.folder });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes));
  const server = buildServer(loaded.config, createLogger({ level: 'silent', format: 'json' }));
  const { url } = await server.start();
  await until(async () => (await fetch(`${url}/health/ready`)).status === 200, 'ours is ready');
  return { url, server };
}

beforeAll(async () => {
  OldServer.install();
  redis = await RedisServer.start();
  laravel = await startAuthEndpoint();
  const { origin, pathname } = new URL(laravel.url);
  old = await OldServer.start({
    authHost: origin,
    authEndpoint: pathname,
    databaseConfig: { redis: { port: redis.port, keyPrefix: PREFIX } },
  });
  ours = await startOurs();
});
afterAll(async () => {
  await ours?.server.stop();
  await old?.stop();
  await laravel?.stop();
  await redis?.stop();
});

/** The same page, as it is now: client 2, on the one server or the other. */
async function page(url: string, bearer: string): Promise<EchoClient> {
  const client = await EchoClient.open({ url, version: 2, bearer, name: `${bearer} at ${url}` });
  onTestFinished(() => client.close());
  return client;
}

const tell = (wire: string, event: string, socket: string | null = null) =>
  redis.publish(PREFIX + wire, JSON.stringify({ event, data: { from: 'Laravel', socket }, socket }));

/** The names of events heard up to and with `end`. */
async function upTo(client: EchoClient, end: string): Promise<string[]> {
  const names: string[] = [];
  for (;;) {
    const { event } = await client.next();
    // What ours announces to its own nodes has no name, which the old one hands on to nobody's listener.
    if (event !== null && !event.startsWith('subscription_')) names.push(event);
    if (event === end) return names;
  }
}

describe('ours beside laravel-echo-server on one Redis', () => {
  it('each delivers an event to its own clients, once', async () => {
    const [theirs, mine] = [await page(old.url, '1:ada'), await page(ours.url, '2:bob')];
    for (const client of [theirs, mine]) {
      client.channel('news');
      client.private('orders.1');
    }
    await old.subscribed('private-orders.1', 1);
    await mine.settled('private-orders.1');
    await tell('news', 'first');
    await tell('private-orders.1', 'second');
    await tell('news', 'end');
    for (const client of [theirs, mine])
      expect(await upTo(client, 'end')).toEqual(['first', 'second', 'end']);
  });

  it('toOthers leaves out the one page, on whichever server it is', async () => {
    const [theirs, mine] = [await page(old.url, '1:ada'), await page(ours.url, '2:bob')];
    for (const client of [theirs, mine]) client.private('orders.2');
    await old.subscribed('private-orders.2', 1);
    await mine.settled('private-orders.2');
    await tell('private-orders.2', 'not for theirs', theirs.id);
    await tell('private-orders.2', 'not for mine', mine.id);
    await tell('private-orders.2', 'end');
    expect(await upTo(theirs, 'end')).toEqual(['not for mine', 'end']);
    expect(await upTo(mine, 'end')).toEqual(['not for theirs', 'end']);
  });

  it('a whisper on ours reaches pages on both; one on the old server stays there, as ever', async () => {
    const [theirs, mine] = [await page(old.url, '1:ada'), await page(ours.url, '2:bob')];
    const [there, here] = [theirs.private('chat.3'), mine.private('chat.3')];
    await old.subscribed('private-chat.3', 1);
    await mine.settled('private-chat.3');
    here.channel.whisper?.('typing', { who: 'bob' });
    expect((await theirs.next('client-typing')).args[1]).toEqual({ who: 'bob' });
    there.channel.whisper?.('typing', { who: 'ada' });
    await tell('private-chat.3', 'end');
    expect(await upTo(mine, 'end')).toEqual(['end']);
  });

  it('each shows the members on itself, and neither touches the keys of the other', async () => {
    const theirs = await page(old.url, '1:ada');
    const mine = await page(ours.url, '2:bob');
    const [there, here] = [theirs.join('room.4'), mine.join('room.4')];
    expect((await there.next('here')).payload).toEqual([{ id: 1, name: 'ada' }]);
    expect((await here.next('here')).payload).toEqual([{ id: 2, name: 'bob' }]);
    // Its client puts the prefix before its keys too.
    const oldKey = `${PREFIX}presence-room.4:members`;
    const keys = await redis.client.keys('*');
    expect(keys).toContain(oldKey);
    const others = keys.filter((key) => key !== oldKey && !key.endsWith(':members'));
    expect(others.length).toBeGreaterThan(0);
    expect(others.filter((key) => !key.startsWith(`${PREFIX}yamabiko:`))).toEqual([]);
    const second = await page(ours.url, '3:cyd');
    second.join('room.4');
    expect((await here.next('joining')).payload).toEqual({ id: 3, name: 'cyd' });
    expect(JSON.parse((await redis.client.get(oldKey)) ?? '')).toEqual([
      expect.objectContaining({ user_id: 1 }),
    ]);
    await tell('presence-room.4', 'end');
    expect(await upTo(theirs, 'end')).toEqual(['presence:subscribed', 'end']);
  });

  it('pages go over one by one, and back, with nothing but another address', async () => {
    const before = await page(old.url, '1:ada');
    before.private('orders.5');
    await old.subscribed('private-orders.5', 1);
    before.close();
    const after = await page(ours.url, '1:ada');
    after.private('orders.5');
    expect(await after.settled('private-orders.5')).toMatchObject({ ok: true });
    await old.subscribed('private-orders.5', 0);
    await tell('private-orders.5', 'told');
    expect((await after.next('told')).args).toEqual(['private-orders.5', { from: 'Laravel', socket: null }]);
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ConnectorClient } from '../support/connector-client.ts';
import { EchoClient, type EchoClientOptions } from '../support/echo-client.ts';
import { Laravel } from '../support/laravel.ts';
import { RawClient } from '../support/raw-client.ts';
import { RedisServer } from '../support/redis-server.ts';
import { CLIENT_VERSIONS } from '../support/socket-io.ts';
import { type Running, startYamabiko } from '../support/yamabiko.ts';

// A real Laravel, a real Redis, our server between them and real clients: nothing here is played.
let redis: RedisServer;
let laravel: Laravel;
let server: Running;
let cookie: string;
const closings: Array<() => unknown> = [];

beforeAll(async () => {
  redis = await RedisServer.start();
  laravel = await Laravel.start({ redisPort: redis.port });
  server = await startYamabiko({ YAMABIKO_REDIS_URL: redis.url, YAMABIKO_AUTH_URL: laravel.authUrl });
  cookie = await laravel.login(1);
});

afterEach(async () => {
  for (const close of closings.splice(0)) await close();
  await server.settledToZero();
});

afterAll(async () => {
  await server?.stop();
  await laravel?.stop();
  await redis?.stop();
});

async function page(options: Omit<EchoClientOptions, 'url'> = {}): Promise<EchoClient> {
  const client = await EchoClient.open({ url: server.url, ...options });
  closings.push(() => client.close());
  return client;
}

async function connectorPage(bearer: 'alice-token' | 'bob-token'): Promise<ConnectorClient> {
  const client = await ConnectorClient.open({
    url: server.url,
    options: { tokenEndpoint: laravel.tokenUrl, bearerToken: bearer },
    name: bearer,
  });
  closings.push(() => client.close());
  return client;
}

async function rawSession(channel: string, bearer: 'alice-token' | 'bob-token'): Promise<RawClient> {
  const token = (await laravel.token(channel, { bearer })) ?? '';
  const client = await RawClient.join({ url: server.url, token, name: bearer });
  closings.push(() => client.close());
  return client;
}

const happened = { name: '.App\\Happened', payload: { message: 'hello', socket: null } };

describe.each(CLIENT_VERSIONS)("Laravel's events on Echo with client %i", (version) => {
  it('arrive on the channel that they were published on, and nowhere else', async () => {
    const client = await page({ version, bearer: 'alice-token' });
    const channels = {
      public: client.channel('news', happened.name),
      private: client.private('orders.1', happened.name, '.order.shipped'),
      presence: client.join('chat.1', happened.name),
      encrypted: client.private('encrypted-secret.1', happened.name),
    };
    for (const wire of ['news', 'private-orders.1', 'presence-chat.1', 'private-encrypted-secret.1'])
      expect(await client.settled(wire)).toMatchObject({ ok: true });
    expect(await channels.presence.next('here')).toEqual({
      name: 'here',
      payload: [{ id: 1, name: 'alice' }],
    });

    for (const kind of ['public', 'private', 'presence', 'encrypted'] as const) {
      await laravel.fire(kind);
      expect(await channels[kind].next()).toEqual(happened);
    }
    await laravel.fire('as');
    expect(await channels.private.next()).toEqual({
      name: '.order.shipped',
      payload: { id: 7, text: 'Zażółć "/" é', socket: null },
    });
    // Redis keeps one order, so what is still unread now would have come before this one.
    await laravel.fire('many');
    for (const kind of ['public', 'private', 'presence'] as const)
      expect(await channels[kind].next()).toEqual(happened);
    for (const channel of Object.values(channels)) expect(channel.unread()).toEqual([]);
  });

  it('of a notification reach its user', async () => {
    const client = await page({ version, cookie });
    const mine = client.private('App.Models.User.1').listenForNotifications();
    expect(await client.settled('private-App.Models.User.1')).toMatchObject({ ok: true });
    await laravel.fire('notify', { message: 'ding' });
    expect(await mine.next('notification')).toMatchObject({ payload: { text: 'ding', type: 'App\\Note' } });
  });

  it('sent toOthers() leave out the page that caused them', async () => {
    const [sender, other] = [await page({ version, cookie }), await page({ version, cookie })];
    const [mine, theirs] = [sender.join('chat.1', happened.name), other.join('chat.1', happened.name)];
    await sender.settled('presence-chat.1');
    await other.settled('presence-chat.1');
    await laravel.fire('others', { message: 'not to me', socketId: sender.id });
    await laravel.fire('presence');
    expect(await theirs.next(happened.name)).toMatchObject({
      payload: { message: 'not to me', socket: null },
    });
    expect(await mine.next(happened.name)).toEqual(happened);
  });
});

describe("Laravel's channel callbacks", () => {
  it.each([
    ['a session cookie', () => ({ cookie })],
    ['a bearer token', () => ({ bearer: 'alice-token' })],
  ])('let a page in by %s, and refuse it elsewhere', async (_, identity) => {
    const client = await page(identity());
    client.private('orders.1');
    client.private('orders.2');
    client.join('chat.2');
    client.private('nothing');
    expect(await client.settled('private-orders.1')).toMatchObject({ ok: true });
    for (const wire of ['private-orders.2', 'presence-chat.2', 'private-nothing'])
      expect(await client.settled(wire)).toEqual({ ok: false, status: 403 });
  });

  it('refuse a guest, who still hears what is public', async () => {
    const guest = await page();
    const news = guest.channel('news', happened.name);
    guest.private('orders.1');
    expect(await guest.settled('private-orders.1')).toEqual({ ok: false, status: 403 });
    expect(await guest.settled('news')).toMatchObject({ ok: true });
    await laravel.fire('public');
    expect(await news.next()).toEqual(happened);
  });

  it('that fail are reported with their status, never as a refusal', async () => {
    const client = await page({ cookie });
    client.private('boom');
    expect(await client.settled('private-boom')).toEqual({ ok: false, status: 500 });
  });

  it('with bool answers make nobody a member: no presence channel', async () => {
    const client = await page({ cookie });
    client.join('orders.1');
    expect(await client.settled('presence-orders.1')).toEqual({ ok: false, status: 502 });
  });
});

describe('the token route', () => {
  it('opens a room to a page with our connector, and leaves public channels public', async () => {
    const client = await connectorPage('alice-token');
    const room = client.channel('chat:room1');
    expect(await room.next('here')).toEqual({ name: 'here', payload: [{ id: 1, name: 'alice' }] });
    const news = client.channel('news', happened.name);
    await news.next('subscribed');
    await laravel.fire('public');
    expect(await news.next()).toEqual(happened);
    const closed = client.channel('chat:closed');
    expect(await closed.next('error')).toMatchObject({ payload: { status: 403 } });
  });

  it('opens one room to raw sessions, our connector and Echo', async () => {
    const raw = await rawSession('chat:room1', 'bob-token');
    const connector = await connectorPage('alice-token');
    const room = connector.channel('chat:room1');
    const names = (await room.next('here')).payload.map((user: { name: string }) => user.name);
    expect(names.sort()).toEqual(['alice', 'bob']);
    expect(await raw.next('connectOther')).toMatchObject({ sender: { id: 1, name: 'alice' } });
    const echo = await page({ cookie });
    const joined = echo.join('chat:room1', '.message');
    await echo.settled('presence-chat:room1');

    await room.channel.send({ message: 'hi', name: 'alice' });
    const sent = { sender: { name: 'alice', id: 1 }, data: { message: 'hi', name: 'alice' } };
    expect(await raw.next('message')).toEqual({ type: 'message', ...sent });
    expect(await room.next('message')).toMatchObject({ payload: sent });
    expect(await joined.next('.message')).toMatchObject({ payload: sent });
  });
});

describe("Laravel's custom messages", () => {
  const system = { id: 0, name: 'system' };

  it('of a chat reach all, or the one user that they are for', async () => {
    const [alice, bob] = [
      await rawSession('chat:room1', 'alice-token'),
      await rawSession('chat:room1', 'bob-token'),
    ];
    await laravel.fire('chat', { channel: 'chat:room1', message: 'to bob', to: 2 });
    await laravel.fire('chat', { channel: 'chat:room1', message: 'to all' });
    expect(await bob.next('message')).toEqual({
      type: 'message',
      sender: system,
      data: { message: 'to bob', name: 'Laravel' },
    });
    for (const session of [bob, alice])
      expect(await session.next('message')).toMatchObject({ data: { message: 'to all' } });
  });

  it('of a tweet reach its readers', async () => {
    const raw = await rawSession('tweet:home', 'alice-token');
    await laravel.fire('tweet', { message: 'hello' });
    expect(await raw.next('message')).toMatchObject({
      sender: system,
      data: { tweet: { id: 7, content: 'hello', user: { id: 1, name: 'alice' } } },
    });
  });

  it('of the sample job tell its progress, at every door that a token opens', async () => {
    const raw = await rawSession('progress:42', 'alice-token');
    const client = await connectorPage('bob-token');
    const job = client.channel('progress:42');
    await job.next('subscribed');
    await laravel.fire('job', { channel: 'progress:42', steps: 3 });
    for (const cursor of [1, 2, 3]) {
      const data = {
        info: { type: 'sample_job_progress', title: 'Sample job', detail: { cursor, total: 3 } },
      };
      expect(await raw.next('message')).toEqual({ type: 'message', sender: system, data });
      expect(await job.next('message')).toMatchObject({ payload: { sender: system, data } });
    }
  });
});

describe.each(['', 'shop-database-', 'glob*[x]?'])('with the Redis prefix %j', (redisPrefix) => {
  it('Laravel and the server find each other', async () => {
    const other = await Laravel.start({ redisPort: redis.port, redisPrefix });
    const itsServer = await startYamabiko({
      YAMABIKO_REDIS_URL: redis.url,
      YAMABIKO_REDIS_PREFIX: redisPrefix,
      YAMABIKO_AUTH_URL: other.authUrl,
    });
    const client = await EchoClient.open({ url: itsServer.url, bearer: 'alice-token' });
    const orders = client.private('orders.1', happened.name);
    await client.settled('private-orders.1');
    const token = (await other.token('chat:room1')) ?? '';
    const raw = await RawClient.join({ url: itsServer.url, token });

    await other.fire('private');
    await other.fire('chat', { channel: 'chat:room1', message: 'hi' });
    expect(await orders.next()).toEqual(happened);
    expect(await raw.next('message')).toMatchObject({ data: { message: 'hi' } });

    client.close();
    await raw.close();
    await itsServer.stop();
    await other.stop();
  });
});

import { createHmac } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EventQueue } from '../support/event-queue.ts';
import { TEST_SECRET } from '../support/jwt.ts';
import { type Identity, Laravel } from '../support/laravel.ts';
import { RedisServer } from '../support/redis-server.ts';

// Laravel alone: what our server is built upon. When a fact of it moves, it moves here first.
let redis: RedisServer;
let laravel: Laravel;
let subscriber: Redis;
let published: EventQueue<{ channel: string; payload: string }>;
let cookie: string;

beforeAll(async () => {
  redis = await RedisServer.start();
  laravel = await Laravel.start({ redisPort: redis.port });
  cookie = await laravel.login(1);
  subscriber = new Redis(redis.port, '127.0.0.1');
  subscriber.on('pmessage', (_pattern, channel, payload) => published.push({ channel, payload }));
  await subscriber.psubscribe('*');
});

afterAll(async () => {
  subscriber?.disconnect();
  await laravel?.stop();
  await redis?.stop();
});

beforeEach(() => {
  published = new EventQueue('the Redis subscriber');
});

describe('what Laravel publishes', () => {
  const happened = (socket: string) =>
    `{"event":"App\\\\Happened","data":{"message":"hello","socket":${socket}},"socket":${socket}}`;

  it.each([
    ['public', 'news'],
    ['private', 'private-orders.1'],
    ['presence', 'presence-chat.1'],
    ['encrypted', 'private-encrypted-secret.1'],
  ] as const)('a %s event goes out on the channel %s', async (kind, channel) => {
    await laravel.fire(kind);
    expect(await published.next()).toEqual({
      channel: `laravel_database_${channel}`,
      payload: happened('null'),
    });
  });

  it('an event on several channels goes out on each of them', async () => {
    await laravel.fire('many');
    const channels = [await published.next(), await published.next(), await published.next()].map(
      (p) => p.channel,
    );
    expect(channels).toEqual(
      ['news', 'private-orders.1', 'presence-chat.1'].map((c) => `laravel_database_${c}`),
    );
  });

  it('toOthers names the socket twice', async () => {
    await laravel.fire('others', { socketId: '123.456' });
    expect((await published.next()).payload).toBe(happened('"123.456"'));
  });

  it('broadcastAs and broadcastWith set the name and the data', async () => {
    await laravel.fire('as');
    expect((await published.next()).payload).toBe(
      '{"event":"order.shipped","data":{"id":7,"text":"Za\\u017c\\u00f3\\u0142\\u0107 \\"\\/\\" \\u00e9","socket":null},"socket":null}',
    );
  });

  it('a notification goes to its user', async () => {
    await laravel.fire('notify', { message: 'ding' });
    const { channel, payload } = await published.next();
    expect(channel).toBe('laravel_database_private-App.Models.User.1');
    expect(JSON.parse(payload)).toMatchObject({
      event: 'Illuminate\\Notifications\\Events\\BroadcastNotificationCreated',
      data: { text: 'ding', type: 'App\\Note' },
    });
  });

  it('a model tells what became of it', async () => {
    await laravel.fire('model');
    const events = [await published.next(), await published.next(), await published.next()];
    expect(events.map(({ payload }) => JSON.parse(payload).event)).toEqual([
      'PostCreated',
      'PostUpdated',
      'PostDeleted',
    ]);
    expect(events[0]?.channel).toMatch(/^laravel_database_private-App\.Models\.Post\.\d+$/);
  });

  it('a queued event goes out as any other', async () => {
    await laravel.fire('queued', { message: 'later' });
    expect(JSON.parse((await published.next()).payload)).toMatchObject({
      event: 'App\\HappenedQueued',
      data: { message: 'later' },
    });
  });

  it.each([
    [
      'chat',
      { channel: 'chat:room1', message: 'hi', to: 2 },
      'chat:room1',
      { message: 'hi', name: 'Laravel', target_user_id: 2 },
    ],
    ['tweet', { message: 'hi' }, 'tweet:home', { tweet: { content: 'hi', user: { id: 1, name: 'alice' } } }],
  ] as const)('a %s goes out on the custom channel', async (kind, options, channel, data) => {
    await laravel.fire(kind, options);
    const message = await published.next();
    expect(message.channel).toBe('laravel_database_broadcast');
    expect(JSON.parse(message.payload)).toMatchObject({ channel, data, type: 'message' });
  });

  it('the sample job tells its progress', async () => {
    await laravel.fire('job', { channel: 'progress:42', steps: 2 });
    for (const cursor of [1, 2])
      expect(JSON.parse((await published.next()).payload)).toEqual({
        channel: 'progress:42',
        data: { info: { type: 'sample_job_progress', title: 'Sample job', detail: { cursor, total: 2 } } },
        type: 'message',
      });
  });
});

describe("Laravel's auth endpoint", () => {
  const alice: Identity = { bearer: 'alice-token' };
  const member = '{"channel_data":{"user_id":1,"user_info":{"id":1,"name":"alice"}}}';
  const refusal = /^\{\s*"message": ""/;

  it.each([
    ['private', 'private-orders.1', 200, 'true'],
    ['encrypted private', 'private-encrypted-secret.1', 200, 'true'],
    ['presence', 'presence-chat.1', 200, member],
    ["another's private", 'private-orders.2', 403, refusal],
    ['a refused presence', 'presence-chat.2', 403, refusal],
    ['an unknown', 'private-nothing', 403, refusal],
    ['no', '', 403, refusal],
    ['presence on a bool callback', 'presence-orders.1', 200, 'true'],
    ['private on a presence callback', 'private-chat.1', 200, member],
    ['a failing', 'private-boom', 500, /Server Error/],
  ] as const)('%s channel (%s): %i', async (_, channel, status, body) => {
    for (const identity of [alice, { cookie }]) {
      const response = await laravel.post('/broadcasting/auth', { channel_name: channel }, identity);
      expect([response.status, await response.text()]).toEqual([
        status,
        typeof body === 'string' ? body : expect.stringMatching(body),
      ]);
    }
  });

  it('refuses a guest with 403, with 401 behind auth:api', async () => {
    const question = { channel_name: 'private-orders.1' };
    expect((await laravel.post('/broadcasting/auth', question)).status).toBe(403);
    expect((await laravel.post('/api/broadcasting/auth', question)).status).toBe(401);
  });

  it('sends a guest behind auth:api to the login page unless the request looks like XHR', async () => {
    const response = await fetch(laravel.apiAuthUrl, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ channel_name: 'private-orders.1' }),
    });
    expect([response.status, response.headers.get('location')]).toEqual([
      302,
      expect.stringMatching(/\/login$/),
    ]);
  });
});

describe('the token route', () => {
  const ask = (channel: unknown, identity: Identity = {}) =>
    laravel.post('/yamabiko/token', { channel }, identity);

  it.each([
    ['a bearer token', () => ({ bearer: 'alice-token' })],
    ['a session cookie', () => ({ cookie })],
  ])("gives %s's user a JWT for the channel, and for nothing else", async (_, identity) => {
    const token = await laravel.token('chat:room1', identity());
    const [head = '', body = '', signature] = token?.split('.') ?? [];
    expect(createHmac('sha256', TEST_SECRET).update(`${head}.${body}`).digest('base64url')).toBe(signature);
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
    expect(claims).toEqual({
      id: 1,
      name: 'alice',
      channel: 'chat:room1',
      iat: expect.any(Number),
      exp: claims.iat + 3600,
    });
  });

  it.each([
    ['a channel that its callback refuses', 'chat:closed'],
    ["another user's channel", 'orders.2'],
    ['a channel that routes/channels.php does not know', 'nothing'],
    ['the name of a private channel instead of its own', 'private-orders.1'],
    ['a part of an encrypted name', 'encrypted-secret.1'],
  ])('refuses %s with 403', async (_, channel) => {
    expect((await ask(channel, { bearer: 'alice-token' })).status).toBe(403);
    expect((await ask(channel, { cookie })).status).toBe(403);
  });

  it('judges the user that the token will name', async () => {
    expect((await ask('orders.2', { bearer: 'bob-token' })).status).toBe(200);
    // The session is Alice's, and so would the token be; this channel's guard would find Bob by his bearer token.
    expect((await ask('desk.2', { bearer: 'bob-token', cookie })).status).toBe(403);
    expect((await ask('desk.1', { bearer: 'bob-token', cookie })).status).toBe(200);
  });

  it('answers null for a public channel, to a guest too', async () => {
    expect(await laravel.token('news', {})).toBeNull();
  });

  it('asks a guest to log in', async () => {
    expect((await ask('chat:room1')).status).toBe(401);
  });

  it.each([[undefined], [''], [['chat:room1']], [7]])('refuses %j as a channel', async (channel) => {
    expect((await ask(channel, { bearer: 'alice-token' })).status).toBe(422);
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SubscribeAuth, WireClient } from '../support/wire-client.ts';
import { type Running, until } from '../support/yamabiko.ts';
import { CountingProxy } from './counting-proxy.ts';
import { PAGES } from './pages.ts';
import { Stage } from './stage.ts';

const SLOW_MS = 100;
const BUILT_IN = PAGES.filter(({ name }) => !name.includes('connector'));

let stage: Stage;
/** Asks Laravel behind `auth:api`. */
let api: Running;
/** Has less patience than the channel `slow` needs. */
let hasty: Running;
/** Asks no more than that many questions at once, through the proxy. */
let counted: Running;
let proxy: CountingProxy;
let alice: string;
let bob: string;
const CONCURRENCY = 8;

beforeAll(async () => {
  stage = await Stage.open({ workers: 10, env: { SLOW_MS: String(SLOW_MS), JWT_TTL: '2' } });
  proxy = await CountingProxy.start(stage.laravel.url);
  api = await stage.serve({ YAMABIKO_AUTH_URL: stage.laravel.apiAuthUrl });
  hasty = await stage.serve({ YAMABIKO_AUTH_TIMEOUT_MS: String(SLOW_MS / 4) });
  counted = await stage.serve({
    YAMABIKO_AUTH_URL: `${proxy.url}/broadcasting/auth`,
    YAMABIKO_AUTH_CONCURRENCY: String(CONCURRENCY),
    YAMABIKO_AUTH_TIMEOUT_MS: '60000',
  });
  [alice, bob] = [await stage.laravel.login(1), await stage.laravel.login(2)];
});
afterEach(() => stage.clear());
afterAll(async () => {
  await stage?.close();
  await proxy?.stop();
});

const bearer = (token: string): SubscribeAuth => ({ headers: { Authorization: `Bearer ${token}` } });
const yes = (channel: string) => ({ ok: true, channel });
const no = (code: string, status: number) => ({ ok: false, code, status, message: expect.any(String) });
const forbidden = no('forbidden', 403);

/** A connection that subscribes by hand, with the session of a cookie or as a guest. */
const connect = (options: { cookie?: string; server?: Running } = {}): Promise<WireClient> =>
  stage.wire(options);

describe.each(BUILT_IN)('a page with $name', ({ open }) => {
  it.each([
    ['a session cookie', () => ({ cookie: alice })],
    ['a bearer token', () => ({ bearer: 'alice-token' })],
  ])('is let in by %s where its channel callback says yes, and nowhere else', async (_, identity) => {
    const page = await open(stage, identity());
    await page.private('orders.1');
    await page.private('encrypted-secret.1');
    const chat = await page.join('chat.1');
    expect(await chat.next('here')).toMatchObject({ payload: [{ id: 1, name: 'alice' }] });
    await expect(page.private('orders.2')).rejects.toThrow('403');
    await expect(page.join('chat.2')).rejects.toThrow('403');
    await expect(page.private('nothing')).rejects.toThrow('403');
  });

  it('is a guest without either, and hears what is public', async () => {
    const guest = await open(stage, {});
    await expect(guest.private('orders.1')).rejects.toThrow('403');
    await expect(guest.join('chat.1')).rejects.toThrow('403');
    const news = await guest.channel('news', '.App\\Happened');
    await stage.laravel.fire('public');
    expect(await news.next()).toMatchObject({ payload: { message: 'hello' } });
  });
});

describe("Laravel's answer", () => {
  it.each([
    ["alice's private channel", 'private-orders.1', yes('private-orders.1')],
    ["alice's encrypted channel", 'private-encrypted-secret.1', yes('private-encrypted-secret.1')],
    ['a presence channel', 'presence-chat.1', yes('presence-chat.1')],
    ['a private name on a callback that gives a member', 'private-chat.1', yes('private-chat.1')],
    ['a presence name on a callback that names nobody', 'presence-orders.1', no('auth_error', 502)],
    ["bob's private channel", 'private-orders.2', forbidden],
    ['a presence channel that refuses her', 'presence-chat.2', forbidden],
    ['a channel that routes/channels.php does not know', 'private-nothing', forbidden],
    ['a callback that throws', 'private-boom', no('auth_error', 500)],
  ])('to alice for %s', async (_, channel, answer) => {
    expect(await (await connect()).subscribe(channel, bearer('alice-token'))).toEqual(answer);
    const client = await connect({ cookie: alice });
    expect(await client.subscribe(channel)).toEqual(answer);
    if (!answer.ok && 'status' in answer)
      expect((await client.next('subscription_error')).args).toEqual([channel, answer.status]);
  });

  it('judges the user, not the channel alone', async () => {
    const client = await connect({ cookie: bob });
    expect(await client.subscribe('private-orders.1')).toEqual(forbidden);
    expect(await client.subscribe('private-orders.2')).toEqual(yes('private-orders.2'));
  });

  it('takes a bearer token that it does not know for a guest', async () => {
    expect(await (await connect()).subscribe('private-orders.1', bearer('nobody'))).toEqual(forbidden);
    expect(await (await connect({ server: api })).subscribe('private-orders.1', bearer('nobody'))).toEqual(
      no('forbidden', 401),
    );
  });

  it('passes on the 401 of auth:api, which knows no session', async () => {
    for (const client of [await connect({ server: api }), await connect({ server: api, cookie: alice })])
      expect(await client.subscribe('private-orders.1')).toEqual(no('forbidden', 401));
    const client = await connect({ server: api });
    expect(await client.subscribe('private-orders.1', bearer('alice-token'))).toEqual(
      yes('private-orders.1'),
    );
    expect(await client.subscribe('presence-chat.1', bearer('alice-token'))).toEqual(yes('presence-chat.1'));
  });

  it("makes the member of Laravel's callback, whose id on show opens nothing", async () => {
    const client = await connect({ cookie: alice });
    await client.subscribe('presence-chat.1');
    const [wire, members] = (await client.next('presence:subscribed')).args;
    expect([wire, members]).toEqual([
      'presence-chat.1',
      [{ user_id: 1, user_info: { id: 1, name: 'alice' }, socketId: expect.any(String) }],
    ]);
    expect(members[0].socketId).not.toBe(client.id);
  });
});

describe('a Laravel that is slow', () => {
  it('is waited for', async () => {
    expect(await (await connect({ cookie: alice })).subscribe('private-slow')).toEqual(yes('private-slow'));
  });

  it('is not waited for beyond YAMABIKO_AUTH_TIMEOUT_MS', async () => {
    const client = await connect({ cookie: alice, server: hasty });
    expect(await client.subscribe('private-slow')).toEqual(no('auth_error', 0));
    expect((await client.next('subscription_error')).args).toEqual(['private-slow', 0]);
  });

  it('leaves nothing behind of a page that went while it thought', async () => {
    const client = await connect({ cookie: alice, server: counted });
    proxy.read();
    client.emit('subscribe', { channel: 'private-slow', auth: {} });
    await until(() => proxy.asked === 1, 'Laravel is asked');
    client.close();
  });

  it('is asked once by all the tabs of a user', async () => {
    const tabs = await Promise.all(
      Array.from({ length: 12 }, () => connect({ cookie: alice, server: counted })),
    );
    const other = await connect({ cookie: bob, server: counted });
    proxy.read();
    const acks = await Promise.all([...tabs, other].map((client) => client.subscribe('private-slow')));
    expect(acks).toEqual(Array(13).fill(yes('private-slow')));
    expect(proxy.read().asked).toBe(2);
    // The answer is not kept: who asks later may find another right.
    await (await connect({ cookie: alice, server: counted })).subscribe('private-slow');
    expect(proxy.read().asked).toBe(1);
  });

  it('lets a hundred users in who come at once, a few at a time', async () => {
    const clients = await Promise.all(Array.from({ length: 100 }, () => connect({ server: counted })));
    proxy.read();
    const acks = await Promise.all(
      clients.map((client, n) =>
        client.subscribe('private-slow', { headers: { Authorization: 'Bearer alice-token', 'X-Tab': n } }),
      ),
    );
    expect(acks).toEqual(Array(100).fill(yes('private-slow')));
    expect(proxy.read()).toEqual({ asked: 100, mostOpen: CONCURRENCY });
  });
});

describe('a callback that fails', () => {
  it('is asked again before it is reported, never as a refusal', async () => {
    const client = await connect({ server: counted, cookie: alice });
    proxy.read();
    expect(await client.subscribe('private-boom')).toEqual(no('auth_error', 500));
    expect(proxy.read().asked).toBe(3);
    expect(await client.subscribe('private-nothing')).toEqual(forbidden);
    expect(proxy.read().asked).toBe(1);
  });
});

describe('a Laravel that is down', () => {
  it('is no refusal, and serves again when it is back', async () => {
    const client = await connect({ cookie: alice });
    await client.subscribe('private-orders.1');
    await stage.laravel.down();
    for (const channel of ['private-slow', 'presence-chat.1'])
      expect(await client.subscribe(channel)).toEqual(no('auth_error', 0));
    expect(await client.subscribe('news')).toEqual(yes('news'));
    await stage.laravel.up();
    expect(await client.subscribe('presence-chat.1')).toEqual(yes('presence-chat.1'));
    await stage.laravel.fire('private');
    expect((await client.next('App\\Happened')).args[0]).toBe('private-orders.1');
  });
});

describe('the connector', () => {
  it('tells of a Laravel that is down, and is in the room when it is back', async () => {
    const page = await stage.connectorPage({ bearer: 'alice-token' }, { options: { retryDelayMs: 50 } });
    await stage.laravel.down();
    const [room, secret] = [page.channel('chat:room1'), page.private('encrypted-secret.1')];
    const refusal = { code: 'auth_error', status: 0, message: expect.any(String) };
    for (const channel of [room, secret]) expect((await channel.next('error')).payload).toEqual(refusal);
    await stage.laravel.up();
    expect((await room.next('here')).payload).toEqual([{ id: 1, name: 'alice' }]);
    await secret.next('subscribed');
  });

  it('tells of a callback that fails, and tries again', async () => {
    const page = await stage.connectorPage({ bearer: 'alice-token' }, { options: { retryDelayMs: 50 } });
    const channel = page.channel('boom');
    const refusal = { code: 'auth_error', status: 500, message: expect.any(String) };
    for (const _ of ['the first time', 'again'])
      expect((await channel.next('error')).payload).toEqual(refusal);
  });
});

describe('a token that Laravel gave', () => {
  it('ends a raw session with it, while the connector gets a new one and misses nothing', async () => {
    const server = await stage.serve({ YAMABIKO_JWT_CLOCK_TOLERANCE_SECONDS: '0' });
    const options = { tokenEndpoint: `${proxy.url}/yamabiko/token` };
    const page = await stage.connectorPage({ bearer: 'alice-token' }, { url: server.url, options });
    proxy.read();
    const room = page.channel('chat:room1');
    expect((await room.next('here')).payload).toEqual([{ id: 1, name: 'alice' }]);
    const raw = await stage.rawSession('chat:room1', { bearer: 'bob-token' }, server);
    expect(await room.next('joining')).toMatchObject({ payload: { id: 2, name: 'bob' } });
    expect(await raw.closed()).toMatchObject({ code: 4401 });
    expect(await room.next('leaving')).toMatchObject({ payload: { id: 2, name: 'bob' } });
    // Longer than the first token lasted, so that the second one is at work.
    await until(() => proxy.asked >= 3, 'the connector has asked for a third token');
    await stage.laravel.fire('chat', { channel: 'chat:room1', message: 'hi' });
    expect((await room.next('message')).payload).toMatchObject({ data: { message: 'hi' } });
    // No refusal, no second list: nobody saw the membership end.
    expect(room.unread()).toEqual([{ name: 'subscribed', payload: undefined }]);
  });
});

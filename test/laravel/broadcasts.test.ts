import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { mintToken } from '../support/jwt.ts';
import type { FireKind } from '../support/laravel.ts';
import { PAGES } from './pages.ts';
import { Stage } from './stage.ts';
import { packetsOf } from './transcript.ts';

// Queued events and jobs wait in Redis for the worker, as in production.
let stage: Stage;
let cookie: string;

beforeAll(async () => {
  stage = await Stage.open({ env: { QUEUE_CONNECTION: 'redis' } });
  cookie = await stage.laravel.login(1);
});
afterEach(() => stage.clear());
afterAll(() => stage?.close());

const work = () => stage.laravel.artisan('queue:work', '--stop-when-empty', '--sleep=0');
const prefix = () => stage.laravel.redisPrefix;
const happened = '.App\\Happened';
const hello = { name: happened, payload: { message: 'hello', socket: null } };

const BROADCASTS: readonly FireKind[] = [
  'public',
  'private',
  'presence',
  'encrypted',
  'many',
  'as',
  'others',
  'notify',
  'queued',
  'model',
  'chat',
  'tweet',
  'job',
];

describe.each(PAGES)('a page with $name', ({ open }) => {
  it('hears every kind of broadcast on its channels, byte for byte, in order, once', async () => {
    const page = await open(stage, { cookie });
    const privates = ['orders.1', 'encrypted-secret.1', 'App.Models.User.1', 'tweet:home', 'progress:1'];
    const presences = ['chat.1', 'chat:1'];
    await page.channel('news');
    for (const name of privates) await page.private(name);
    for (const name of presences) await page.join(name);

    for (const kind of BROADCASTS) await stage.laravel.fire(kind, { message: `Zażółć "${kind}" </>` });
    await work();
    await page.sync();

    const wires = [
      'news',
      ...privates.map((name) => `private-${name}`),
      ...presences.map((name) => `presence-${name}`),
    ];
    const heard = packetsOf(await stage.published(), prefix(), wires);
    expect(page.packets).toEqual(heard);
    // Three of `many` and of the job; what a model tells goes to a channel that this page has not joined.
    expect(heard).toHaveLength(16);
  });

  it("hears all in Redis's order, whichever of Laravel's workers was first", async () => {
    const page = await open(stage, { cookie });
    await page.channel('news');
    await page.private('orders.1');
    await page.join('chat.1');
    const kinds = ['public', 'private', 'presence', 'many', 'as'] as const;
    const fired = Array.from({ length: 25 }, (_, n) =>
      stage.laravel.fire(kinds[n % kinds.length] ?? 'public', { message: `number ${n}` }),
    );
    await Promise.all(fired);
    await page.sync();
    const heard = packetsOf(await stage.published(), prefix(), [
      'news',
      'private-orders.1',
      'presence-chat.1',
    ]);
    expect(page.packets).toEqual(heard);
    expect(heard).toHaveLength(35);
  });

  it("gives Laravel's events to the listeners of Echo's channels", async () => {
    const page = await open(stage, { bearer: 'alice-token' });
    const news = await page.channel('news', happened);
    const orders = await page.private('orders.1', happened, '.order.shipped', '.App\\HappenedQueued');
    const chat = await page.join('chat.1', happened);
    const secret = await page.private('encrypted-secret.1', happened);
    expect(await chat.next('here')).toEqual({ name: 'here', payload: [{ id: 1, name: 'alice' }] });
    for (const [kind, channel] of [
      ['public', news],
      ['private', orders],
      ['presence', chat],
      ['encrypted', secret],
    ] as const) {
      await stage.laravel.fire(kind);
      expect(await channel.next()).toEqual(hello);
    }
    await stage.laravel.fire('as');
    const shipped = { id: 7, text: 'Zażółć "/" é', socket: null };
    expect(await orders.next()).toEqual({ name: '.order.shipped', payload: shipped });
    await stage.laravel.fire('queued', { message: 'later' });
    await work();
    expect(await orders.next()).toEqual({
      name: '.App\\HappenedQueued',
      payload: { message: 'later', socket: null },
    });
    await stage.laravel.fire('many');
    for (const channel of [news, orders, chat]) expect(await channel.next()).toEqual(hello);
    await page.sync();
    for (const channel of [news, orders, chat, secret]) expect(channel.unread()).toEqual([]);
  });

  it('shows the notifications of its user', async () => {
    const page = await open(stage, { bearer: 'alice-token' });
    const mine = (await page.private('App.Models.User.1')).listenForNotifications();
    await stage.laravel.fire('notify', { message: 'ding' });
    const { payload } = await mine.next('notification');
    expect(payload).toEqual({ text: 'ding', id: expect.any(String), type: 'App\\Note', socket: null });
  });

  it('is left out of what it causes itself, toOthers(), and the others are not', async () => {
    const sender = await open(stage, { bearer: 'alice-token' });
    const others = await Promise.all(PAGES.map((kind) => kind.open(stage, { bearer: 'alice-token' })));
    const mine = await sender.join('chat.1', happened);
    const theirs = await Promise.all(others.map((page) => page.join('chat.1', happened)));
    expect(sender.id).toMatch(/^\d+\.\d+$/);
    await stage.laravel.fire('others', { message: 'not to me', socketId: sender.id });
    await stage.laravel.fire('presence');
    for (const channel of theirs) {
      expect(await channel.next(happened)).toEqual({
        name: happened,
        payload: { message: 'not to me', socket: null },
      });
      expect(await channel.next(happened)).toEqual(hello);
    }
    expect(await mine.next(happened)).toEqual(hello);
    await sender.sync();
    expect(sender.packets).toHaveLength(1);
  });

  it('hears what becomes of a model', async () => {
    const told = ['.PostUpdated', '.PostDeleted'];
    const id = Number(await stage.laravel.fire('model', { step: 'create', message: 'a post' }));
    await work();
    const page = await open(stage, { cookie });
    const post = await page.private(`App.Models.Post.${id}`, ...told);
    await stage.laravel.fire('model', { step: 'update', id, message: 'the same post' });
    await work();
    const model = { id, title: 'the same post' };
    expect(await post.next()).toMatchObject({ name: '.PostUpdated', payload: { model } });
    await stage.laravel.fire('model', { step: 'delete', id });
    await work();
    expect(await post.next()).toMatchObject({ name: '.PostDeleted', payload: { model } });
    const published = packetsOf(await stage.published(), prefix(), [`private-App.Models.Post.${id}`]);
    expect(published.map((packet) => packet.slice(0, 16))).toEqual([
      '2["PostCreated",',
      '2["PostUpdated",',
      '2["PostDeleted",',
    ]);
    expect(page.packets).toEqual(published.slice(1));
  });
});

it('a page with a token for it hears of a model from its first moment', async () => {
  const id = Number(await stage.laravel.fire('model', { step: 'create' })) + 1;
  // Laravel would look for that post and find none yet.
  const page = await stage.page({
    bearer: mintToken({ id: 1, name: 'alice', channel: `App.Models.Post.${id}` }),
  });
  const post = page.private(`App.Models.Post.${id}`, '.PostCreated');
  expect(await page.settled(`private-App.Models.Post.${id}`)).toMatchObject({ ok: true });
  await stage.laravel.fire('model', { step: 'create', message: 'new' });
  await work();
  expect(await post.next()).toMatchObject({ payload: { model: { id, title: 'new' } } });
});

describe('what only some Laravels send', () => {
  it("is named by the app's namespace, which a page need not write", async () => {
    const page = await stage.page({ namespace: 'App' });
    const news = page.channel('news', 'Happened');
    await page.settled('news');
    await stage.laravel.fire('public');
    expect(await news.next()).toEqual({ ...hello, name: 'Happened' });
  });

  it.each([126, 65_536, 300_000])('arrives whole with %i characters more', async (length) => {
    const pages = await Promise.all(PAGES.map(({ open }) => open(stage, { bearer: 'alice-token' })));
    for (const page of pages) await page.channel('news');
    await stage.laravel.fire('public', { message: 'é'.repeat(length) });
    for (const page of pages) {
      await page.sync();
      const heard = packetsOf(await stage.published(), prefix(), ['news']);
      expect(heard).toHaveLength(1);
      // Not toEqual: a difference would be printed with all its characters.
      expect(page.packets.length === 1 && page.packets[0] === heard[0]).toBe(true);
    }
  });

  it('nothing, for text that is no UTF-8, disturbs nobody', async () => {
    const page = await stage.page();
    const news = page.channel('news', happened);
    await page.settled('news');
    const body = 'message=%FF';
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const fired = await fetch(`${stage.laravel.url}/fire/public`, { method: 'POST', headers, body });
    expect(fired.status).toBe(200);
    expect((await stage.published()).map(({ payload }) => payload)).toEqual(['']);
    await stage.laravel.fire('public');
    expect(await news.next()).toEqual(hello);
    const dropped = { channel: 'news', reason: 'not_json' };
    expect(stage.server.log).toContainEqual(expect.objectContaining({ level: 'warn', fields: dropped }));
  });

  it('custom data of the wrong shape is dropped, named in the log', async () => {
    const raw = await stage.rawSession('chat:1', { bearer: 'bob-token' });
    await stage.laravel.post('/fire/chat', { message: { text: 'a secret' } });
    await stage.laravel.fire('chat', { message: 'hi' });
    expect((await raw.next('message')).data).toEqual({ message: 'hi', name: 'Laravel' });
    expect(stage.server.log.at(-1)).toEqual({
      level: 'warn',
      message: 'dropped a payload of Redis',
      fields: {
        channel: 'broadcast',
        reason: 'bad_data',
        room: 'chat:1',
        fault: expect.stringContaining('data.message: '),
      },
    });
    expect(JSON.stringify(stage.server.log)).not.toContain('a secret');
  });
});

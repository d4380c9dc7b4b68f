import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Running } from '../support/yamabiko.ts';
import { PAGES } from './pages.ts';
import { Stage } from './stage.ts';
import { framesOf } from './transcript.ts';

// One room for all: raw sessions and our connector by a JWT that Laravel's own /yamabiko/token signs, Echo by Laravel's
// auth endpoint.
let stage: Stage;
let cookie: string;

beforeAll(async () => {
  stage = await Stage.open({ env: { PROGRESS_USLEEP: '500' } });
  other = await stage.serve();
  cookie = await stage.laravel.login(1);
});
afterEach(() => stage.clear());
afterAll(() => stage?.close());

/** A second node on the same Redis. */
let other: Running;

const alice = { id: 1, name: 'alice' };
const bob = { id: 2, name: 'bob' };
const system = { name: 'system', id: 0 };
const prefix = () => stage.laravel.redisPrefix;
const BUILT_IN = PAGES.filter(({ name }) => !name.includes('connector'));

/** Who the connector's page is: in Node no jar of cookies stands behind fetch, so the page's headers hold it. */
const IDENTITIES = [
  ['a bearer token', () => ({ bearerToken: 'alice-token' })],
  ['a session cookie', () => ({ auth: { headers: { Cookie: cookie } } })],
] as const;

describe.each(IDENTITIES)("the connector asks Laravel's token route by %s", (_, options) => {
  const open = () => stage.connectorPage({}, { options: options() });

  it('and is in the room that its channel callback opens, by every name of it', async () => {
    const page = await open();
    const here = { name: 'here', payload: [alice] };
    expect(await page.channel('chat:room1').next('here')).toEqual(here);
    expect(await page.join('chat:room1').next('here')).toEqual(here);
    await page.private('orders.1').next('subscribed');
  });

  it.each(['chat:closed', 'orders.2', 'nothing'])('and is told the refusal of %s', async (name) => {
    const page = await open();
    for (const channel of [page.channel(name), page.private(name), page.join(name)]) {
      const refusal = { code: 'forbidden', status: 403, message: expect.any(String) };
      expect(await channel.next('error')).toEqual({ name: 'error', payload: refusal });
    }
  });

  it('and hears what is public without a token', async () => {
    const page = await open();
    const news = page.channel('news', '.App\\Happened');
    await news.next('subscribed');
    await stage.laravel.fire('public');
    expect(await news.next()).toEqual({
      name: '.App\\Happened',
      payload: { message: 'hello', socket: null },
    });
    // A public channel has no list: nobody told the server who this is.
    expect(news.unread()).toEqual([]);
  });
});

it("the connector's guest is told to log in, and hears what is public", async () => {
  const page = await stage.connectorPage({});
  const refusal = { code: 'token_missing', status: 401, message: expect.any(String) };
  expect((await page.channel('chat:room1').next('error')).payload).toEqual(refusal);
  await page.channel('news').next('subscribed');
});

it('a room is one on two nodes, and each client hears Laravel once', async () => {
  const raw = await stage.rawSession('chat:room1', { bearer: 'bob-token' }, other);
  const page = await stage.page({ cookie });
  const room = page.join('chat:room1', '.message');
  const here = (await room.next('here')).payload;
  expect(here.toSorted((a: typeof bob, b: typeof bob) => a.id - b.id)).toEqual([alice, bob]);
  expect(await raw.next('connectOther')).toMatchObject({ sender: alice });
  const far = await stage.page({ cookie, url: other.url });
  const farRoom = far.join('chat:room1', '.message');
  expect((await farRoom.next('here')).payload).toHaveLength(2);
  for (const { id } of [page, far])
    await stage.laravel.fire('said', { channel: 'chat:room1', message: `not to ${id}`, socketId: id });
  await stage.laravel.fire('chat', { channel: 'chat:room1', message: 'to all' });

  // A Laravel event has its text at the top, a message of the room in `data`.
  const textOf = ({ data, message }: { data?: { message: string }; message?: string }) =>
    data?.message ?? message;
  await raw.next(({ data }) => data.message === 'to all');
  expect(raw.drain().map(({ data }) => data.message)).toEqual([`not to ${page.id}`, `not to ${far.id}`]);
  for (const [channel, text] of [
    [room, `not to ${far.id}`],
    [farRoom, `not to ${page.id}`],
  ] as const) {
    await channel.next(({ payload }) => textOf(payload) === 'to all');
    expect(channel.drain().map(({ payload }) => textOf(payload))).toEqual([text]);
  }
});

it('who comes in the middle of a job hears its rest without a hole', async () => {
  const pages = await Promise.all(PAGES.map(({ open }) => open(stage, { bearer: 'alice-token' })));
  const steps = 400;
  const fired = stage.laravel.fire('job', { channel: 'progress:7', steps });
  const [raw] = await Promise.all([
    stage.rawSession('progress:7', { bearer: 'bob-token' }),
    ...pages.map((page) => page.private('progress:7')),
  ]);
  await fired;
  await stage.laravel.fire('job', { channel: 'progress:7', steps: 1 });
  await raw.next(({ type, data }) => type === 'message' && data.info.detail.total === 1);
  for (const page of pages) await page.sync();

  const cursors = (texts: readonly string[]) =>
    texts.flatMap((text) => /"cursor":(\d+),"total":400/.exec(text)?.[1] ?? []).map(Number);
  for (const heard of [raw.texts(), ...pages.map(({ packets }) => packets)].map(cursors))
    expect(heard).toEqual(heard.map((_, n) => steps - heard.length + 1 + n));
});

describe.each(BUILT_IN)('in one room with a page of $name', ({ open }) => {
  it('everybody sees the same members, each user once', async () => {
    const raw = await stage.rawSession('chat:room1', { bearer: 'bob-token' });
    expect(raw.connected.users).toEqual([bob]);
    const page = await open(stage, { cookie });
    const room = await page.join('chat:room1');
    const here = (await room.next('here')).payload;
    expect(here.toSorted((a: typeof bob, b: typeof bob) => a.id - b.id)).toEqual([alice, bob]);
    expect(await raw.next('connectOther')).toMatchObject({ sender: alice, data: { user: alice } });

    // A second connection of each, by another way in, is no news to anybody.
    const connector = await stage.connectorPage({ bearer: 'alice-token' });
    expect((await connector.channel('chat:room1').next('here')).payload).toHaveLength(2);
    const second = await stage.rawSession('chat:room1', { bearer: 'bob-token' });
    expect(second.connected.users).toHaveLength(2);
    await second.close();
    connector.close();
    await raw.close();
    expect(await room.next('leaving')).toEqual({ name: 'leaving', payload: bob });
    expect(room.unread()).toEqual([]);
    expect(raw.unread()).toEqual([]);
  });

  it('what one says all hear', async () => {
    const raw = await stage.rawSession('chat:room1', { bearer: 'bob-token' });
    const connector = (await stage.connectorPage({ bearer: 'alice-token' })).channel('chat:room1');
    await connector.next('here');
    const page = await open(stage, { cookie });
    const joined = await page.join('chat:room1', '.message');
    const subscribed = await page.private('chat:room1', '.message');
    await connector.channel.send({ message: 'hi', name: 'alice' });
    expect(await raw.request({ message: 'ho', name: 'bob' })).toEqual({ type: 'sended', ok: true });
    for (const [user, message] of [
      [alice, 'hi'],
      [bob, 'ho'],
    ] as const) {
      const said = { sender: user, data: { message, name: user.name } };
      expect(await raw.next('message')).toEqual({ type: 'message', ...said });
      expect((await connector.next('message')).payload).toEqual(said);
      for (const channel of [joined, subscribed])
        expect((await channel.next('.message')).payload).toEqual(said);
    }
  });

  it('a chat from Laravel reaches all, or the one user that it is for', async () => {
    const raw = await stage.rawSession('chat:room1', { bearer: 'bob-token' });
    const page = await open(stage, { cookie });
    const room = await page.join('chat:room1', '.message');
    await stage.laravel.fire('chat', { channel: 'chat:room1', message: 'to bob', to: bob.id });
    await stage.laravel.fire('chat', { channel: 'chat:room1', message: 'to alice', to: alice.id });
    await stage.laravel.fire('chat', { channel: 'chat:room1', message: 'to nobody here', to: 3 });
    await stage.laravel.fire('chat', { channel: 'chat:other', message: 'to another room' });
    await stage.laravel.fire('chat', { channel: 'chat:room1', message: 'to all' });
    const from = (message: string) => ({ sender: system, data: { message, name: 'Laravel' } });
    for (const message of ['to bob', 'to all'])
      expect(await raw.next('message')).toEqual({ type: 'message', ...from(message) });
    for (const message of ['to alice', 'to all'])
      expect((await room.next('.message')).payload).toEqual(from(message));
  });

  it('the sample job tells its progress, step by step, byte for byte', async () => {
    const raw = await stage.rawSession('progress:42', { bearer: 'bob-token' });
    const connector = (await stage.connectorPage({ bearer: 'alice-token' })).channel('progress:42');
    await connector.next('here');
    const page = await open(stage, { cookie });
    const job = await page.private('progress:42', '.message');
    const steps = 25;
    await stage.laravel.fire('job', { channel: 'progress:42', steps });
    await page.sync();
    for (let cursor = 1; cursor <= steps; cursor++) {
      const info = { type: 'sample_job_progress', title: 'Sample job', detail: { cursor, total: steps } };
      const told = { sender: system, data: { info } };
      expect((await connector.next('message')).payload).toEqual(told);
      expect((await job.next('.message')).payload).toEqual(told);
      expect(await raw.next('message')).toEqual({ type: 'message', ...told });
    }
    expect(job.unread()).toEqual([]);
    const frames = raw.texts().filter((text) => text.includes('"message"'));
    expect(frames).toEqual(framesOf(await stage.published(), prefix(), 'progress:42'));
  });

  it('a tweet reaches its readers, byte for byte', async () => {
    const raw = await stage.rawSession('tweet:home', { bearer: 'bob-token' });
    const page = await open(stage, { cookie });
    const home = await page.private('tweet:home', '.message');
    await stage.laravel.fire('tweet', { message: 'Zażółć </> "é"' });
    const tweet = { id: 7, content: 'Zażółć </> "é"', created_at: '2026-11-24 12:00:00', user: alice };
    expect((await home.next('.message')).payload).toEqual({ sender: system, data: { tweet } });
    await raw.next('message');
    expect(raw.texts().slice(-1)).toEqual(framesOf(await stage.published(), prefix(), 'tweet:home'));
  });

  it("an event that Laravel names `message` is one of the room's messages, but not for who caused it", async () => {
    const raw = await stage.rawSession('chat:room1', { bearer: 'bob-token' });
    const sender = await stage.rawSession('chat:room1', { bearer: 'bob-token' });
    const connector = (await stage.connectorPage({ bearer: 'alice-token' })).channel('chat:room1');
    await connector.next('here');
    const page = await open(stage, { cookie });
    const joined = await page.join('chat:room1', '.message');
    const subscribed = await page.private('chat:room1', '.message');
    for (const [message, socketId] of [
      ['from a raw session', sender.connected.socketId],
      ['from the page', page.id],
    ]) {
      await stage.laravel.fire('said', { channel: 'chat:room1', message, socketId });
    }
    await stage.laravel.fire('chat', { channel: 'chat:room1', message: 'the end' });
    const said = (message: string) => ({ sender: system, data: { message, name: 'Laravel' } });
    const all = ['from a raw session', 'from the page', 'the end'];
    for (const message of all) {
      expect(await raw.next('message')).toEqual({ type: 'message', ...said(message) });
      expect((await connector.next('message')).payload).toEqual(said(message));
    }
    expect((await sender.next('message')).data.message).toBe('from the page');
    expect((await sender.next('message')).data.message).toBe('the end');
    // On its own wire name it is as Laravel sent it; `chat` is defined, so the room's other name has it too.
    const asSent = { message: 'from a raw session', name: 'Laravel', socket: null };
    expect((await joined.next('.message')).payload).toEqual(asSent);
    expect((await subscribed.next('.message')).payload).toEqual(said('from a raw session'));
    for (const channel of [joined, subscribed])
      expect((await channel.next('.message')).payload).toEqual(said('the end'));
  });
});

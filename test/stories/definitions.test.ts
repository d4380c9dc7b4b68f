import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CLUSTERS, type Cluster } from '../support/clusters.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { WireClient } from '../support/wire-client.ts';

const TWEET = { tweet: { id: 1, content: 'c', created_at: '2026-01-01', user: { id: 2, name: 'n' } } };
const PROGRESS = {
  info: { type: 'sample_job_progress', title: 'Sample', detail: { cursor: 3, total: 10 } },
};

/** protocol.md section 3, "Channel definitions". */
describe.each(CLUSTERS)('channel definitions $name', (kind) => {
  let cluster: Cluster;
  let rooms = 0;
  const clients: RawClient[] = [];
  const newRoom = (name: string) => `${name}:def${++rooms}`;

  beforeAll(async () => {
    cluster = await kind.start(
      {},
      {
        quiet: { users: false, clientSend: true },
        vault: { echo: false, clientSend: true },
        order: {
          clientSend: true,
          schema: {
            type: 'object',
            properties: { item: { type: 'string', maxLength: 5 }, for: { type: 'string' } },
            required: ['item'],
          },
          keep: ['item'],
          recipient: 'for',
        },
        tweet: { clientSend: true },
        chat: { clientSend: false },
      },
    );
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await cluster.settledToZero();
  });
  afterAll(() => cluster?.stop());

  async function join(channel: string, id = 1, name = 'ada') {
    const client = await RawClient.join({ url: cluster.server.url, token: mintToken({ id, name, channel }) });
    clients.push(client);
    return client;
  }
  const fromLaravel = (channel: string, data: unknown) =>
    cluster.publish('broadcast', JSON.stringify({ channel, data, type: 'message' }));
  const dropped = (reason: string) =>
    cluster.server.metric('yamabiko_dropped_total', { source: 'redis', reason });

  it.each([
    ['tweet', TWEET],
    ['progress', PROGRESS],
    ['anything', { any: 'hash', nested: [1, { a: null }] }],
  ])('carries %s from Laravel', async (name, data) => {
    const room = newRoom(name);
    const client = await join(room);
    await fromLaravel(room, data);
    expect((await client.next('message')).data).toEqual(data);
  });

  it.each([
    ['tweet', {}],
    ['tweet', { tweet: { ...TWEET.tweet, id: '1' } }],
    ['tweet', { tweet: { ...TWEET.tweet, user: null } }],
    ['progress', { info: { type: 'x', title: 'y' } }],
    ['progress', { info: { type: 'x', title: 'y', detail: [] } }],
    ['chat', { message: 1, name: 'n' }],
    ['chat', { message: 'm', name: 'n', target_user_id: 'all' }],
    ['order', { item: 'too long' }],
  ])('drops a %s of the wrong shape from Laravel, counts and logs it: %j', async (name, data) => {
    const good: Record<string, object> = {
      tweet: TWEET,
      progress: PROGRESS,
      chat: { message: 'm', name: 'n' },
      order: { item: 'tea' },
    };
    const room = newRoom(name);
    const client = await join(room);
    const before = await dropped('bad_data');
    const logged = cluster.server.log.length;
    await fromLaravel(room, data);
    await fromLaravel(room, good[name]);
    expect((await client.next()).data).toEqual(good[name]);
    expect(await dropped('bad_data')).toBe(before + 1);
    expect(cluster.server.log.slice(logged)).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: expect.objectContaining({ reason: 'bad_data' }) }),
    );
  });

  it.each(['progress', 'anything', 'constructor', '__proto__', 'toString'])(
    'lets no client send on %s',
    async (name) => {
      const client = await join(newRoom(name));
      const answer = await client.request(PROGRESS);
      expect(answer).toMatchObject({ ok: false, error: { code: 'send_forbidden' } });
    },
  );

  it('lets a configuration close what is open and open what is closed, and keeps the built-in shape', async () => {
    const chat = await join(newRoom('chat'));
    expect(await chat.request({ message: 'm', name: 'n' })).toMatchObject({
      error: { code: 'send_forbidden' },
    });
    const tweet = await join(newRoom('tweet'));
    expect(await tweet.request(TWEET)).toEqual({ type: 'sended', ok: true });
    expect(await tweet.request({ tweet: {} })).toMatchObject({ error: { code: 'invalid_data' } });
  });

  it('checks, cuts and addresses by a configured shape', async () => {
    const room = newRoom('order');
    const [ada, bob] = [await join(room), await join(room, 2, 'bob')];
    await ada.next('connectOther');
    expect(await ada.request({ item: 'coffee' })).toMatchObject({
      ok: false,
      error: { code: 'invalid_data', message: expect.stringContaining('data.item') },
    });
    await ada.request({ item: 'tea', for: '2', secret: 'of the kitchen' });
    await ada.request({ item: 'milk' });
    expect(await bob.next()).toMatchObject({ type: 'message', data: { item: 'tea' }, sender: { id: 1 } });
    expect((await bob.next()).data).toEqual({ item: 'milk' });
    expect((await ada.next()).data).toEqual({ item: 'milk' });
    expect(bob.texts().join()).not.toContain('kitchen');
  });

  it('shows nobody to anybody where users are not shown, and carries messages all the same', async () => {
    const room = newRoom('quiet');
    const ada = await join(room);
    const bob = await join(room, 2, 'bob');
    expect([ada.connected.users, bob.connected.users]).toEqual([[], []]);
    const echo = await WireClient.open({ url: cluster.server.url });
    const token = mintToken({ id: 3, name: 'eve', channel: room });
    expect(await echo.subscribe(`presence-${room}`, { token })).toMatchObject({ ok: true });
    expect((await echo.next('presence:subscribed')).args).toEqual([`presence-${room}`, []]);
    await bob.request({ n: 1 });
    expect(await ada.next()).toMatchObject({ type: 'message', sender: { name: 'bob' } });
    await bob.close();
    echo.close();
    await fromLaravel(room, { n: 2 });
    expect(await ada.next()).toMatchObject({ type: 'message', data: { n: 2 } });
  });

  it('keeps a room to the JWT channel alone where the definition says so', async () => {
    const room = newRoom('vault');
    const token = mintToken({ id: 3, name: 'eve', channel: room });
    const echo = await WireClient.open({ url: cluster.server.url });
    for (const wire of [`private-${room}`, `presence-${room}`])
      expect(await echo.subscribe(wire, { token })).toMatchObject({ ok: true });
    await echo.next('presence:subscribed');
    const ada = await join(room);
    expect(ada.connected.users).toEqual([{ id: 1, name: 'ada' }]);
    await ada.request({ n: 1 });
    await fromLaravel(room, { n: 2 });
    await cluster.publish(`private-${room}`, '{"event":"message","data":{"n":3},"socket":null}');
    await cluster.publish(`presence-${room}`, '{"event":"last","data":{"n":4},"socket":null}');
    expect((await echo.next('message')).args.slice(0, 2)).toEqual([`private-${room}`, { n: 3 }]);
    await echo.next('last');
    expect(echo.unread().map(({ event }) => event)).not.toContain('presence:joining');
    expect(echo.unread().map(({ event }) => event)).not.toContain('message');
    expect((await ada.next('message')).data).toEqual({ n: 1 });
    expect((await ada.next('message')).data).toEqual({ n: 2 });
    expect(ada.unread()).toEqual([]);
    echo.close();
  });
});

describe.each(CLUSTERS)('the built-in chat $name', (kind) => {
  let cluster: Cluster;
  let room = 0;
  let ada: RawClient;
  let adaTab: RawClient;
  let bob: RawClient;

  beforeAll(async () => {
    cluster = await kind.start();
  });
  afterAll(() => cluster?.stop());
  const meet = async () => {
    room++;
    const join = (id: number, name: string) =>
      RawClient.join({
        url: cluster.server.url,
        token: mintToken({ id, name, channel: `chat:talk${room}` }),
        name,
      });
    [ada, adaTab, bob] = [await join(1, 'ada'), await join(1, 'ada'), await join(2, 'bob')];
    await ada.next('connectOther');
    await adaTab.next('connectOther');
  };
  afterEach(async () => {
    await Promise.all([ada.close(), adaTab.close(), bob.close()]);
    await cluster.settledToZero();
  });

  it('shows receivers the message and the name alone, in this order', async () => {
    await meet();
    ada.sendText('{"data":{"extra":1,"name":"A","message":"m","target_user_id":null}}');
    await bob.next('message');
    expect(bob.texts().at(-1)).toBe(
      '{"type":"message","sender":{"name":"ada","id":1},"data":{"message":"m","name":"A"}}',
    );
  });

  it('brings a message for one user to all his connections and to nobody else, the sender neither', async () => {
    await meet();
    await bob.request({ message: 'for ada', name: 'b', target_user_id: 1 });
    await ada.request({ message: 'to bob', name: 'a', target_user_id: 2 });
    await ada.request({ message: 'to me', name: 'a', target_user_id: 1 });
    await ada.request({ message: 'nobody', name: 'a', target_user_id: 99 });
    await bob.request({ message: 'all', name: 'b', target_user_id: null });
    const heard = async (client: RawClient, count: number) => {
      const messages = [];
      for (let n = 0; n < count; n++) messages.push((await client.next('message')).data.message);
      expect(client.unread().filter(({ type }) => type === 'message')).toEqual([]);
      return messages;
    };
    expect(await heard(ada, 3)).toEqual(['for ada', 'to me', 'all']);
    expect(await heard(adaTab, 3)).toEqual(['for ada', 'to me', 'all']);
    expect(await heard(bob, 2)).toEqual(['to bob', 'all']);
  });

  it.each([
    [{ name: 'n' }, 'message'],
    [{ message: 'm' }, 'name'],
    [{ message: 'm', name: 5 }, 'name'],
    [{ message: 'm', name: 'n', target_user_id: 1.5 }, 'target_user_id'],
    [{ message: 'm', name: 'n', target_user_id: '1' }, 'target_user_id'],
    [{ message: 'm', name: 'n', target_user_id: [1] }, 'target_user_id'],
  ])('refuses %j and names the field %s', async (data, field) => {
    await meet();
    expect(await ada.request(data)).toMatchObject({
      ok: false,
      error: { code: 'invalid_data', message: expect.stringContaining(`data.${field}`) },
    });
    expect(await ada.request({ message: 'good', name: 'n' })).toMatchObject({ ok: true });
    expect(await bob.next()).toMatchObject({ data: { message: 'good' } });
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type AuthEndpoint, startAuthEndpoint } from '../support/auth-endpoint.ts';
import { CLUSTERS, type Cluster } from '../support/clusters.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import type { ClientVersion, Transport } from '../support/socket-io.ts';
import { WireClient } from '../support/wire-client.ts';

const CLIENTS: readonly { version: ClientVersion; transports: readonly Transport[] }[] = [
  { version: 2, transports: ['websocket'] },
  { version: 2, transports: ['polling'] },
  { version: 3, transports: ['websocket'] },
  { version: 3, transports: ['polling', 'websocket'] },
  { version: 4, transports: ['websocket'] },
  { version: 4, transports: ['polling'] },
  { version: 4, transports: ['polling', 'websocket'] },
];

/** Laravel's envelope. */
const laravel = (event: string, data: string, socket: string | null = null) =>
  `{"event":${JSON.stringify(event)},"data":${data},"socket":${JSON.stringify(socket)}}`;

const bearer = (id: number, name: string) => ({ headers: { Authorization: `Bearer ${id}:${name}` } });

describe.each(CLUSTERS)("Echo's protocol $name", (kind) => {
  let auth: AuthEndpoint;
  let cluster: Cluster;
  const clients: { close(): void | Promise<void> }[] = [];

  beforeAll(async () => {
    auth = await startAuthEndpoint();
    cluster = await kind.start({ YAMABIKO_AUTH_URL: auth.url });
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await cluster.server.settledToZero();
  });
  afterAll(async () => {
    await cluster?.stop();
    await auth?.stop();
  });

  async function connect(
    options: Partial<ConstructorParameters<typeof WireClient>[0]> = {},
  ): Promise<WireClient> {
    const client = await WireClient.open({ url: cluster.server.url, ...options });
    clients.push(client);
    return client;
  }

  async function connectRaw(channel: string): Promise<RawClient> {
    const token = mintToken({ id: 99, name: 'raw', channel });
    const client = await RawClient.join({ url: cluster.server.url, token });
    clients.push(client);
    return client;
  }

  describe.each(CLIENTS)('socket.io-client $version by $transports', (options) => {
    it("hears Laravel's events on a public channel, a private one and an encrypted one, as they were sent", async () => {
      const client = await connect(options);
      for (const wire of ['news', 'private-orders.1', 'private-encrypted-secret.1']) {
        expect(await client.subscribe(wire, bearer(1, 'ada'))).toEqual({ ok: true, channel: wire });
        const data =
          '{"text":"Za\\u017c\\u00f3\\u0142\\u0107 \\"\\/\\"","list":[],"map":{},"n":10.0,"socket":null}';
        await cluster.publish(wire, laravel('App\\Happened', data));
        const { args } = await client.next('App\\Happened');
        expect(args).toEqual([wire, JSON.parse(data)]);
      }
    });

    it('gives a socket id of the form that Laravel accepts', async () => {
      expect((await connect(options)).id).toMatch(/^\d{15,}\.\d{15,}$/);
    });

    it('relays a whisper to the others, never to the sender', async () => {
      const [ada, bob] = [await connect(options), await connect()];
      for (const wire of ['private-w', 'presence-w']) {
        await ada.subscribe(wire, bearer(1, 'ada'));
        await bob.subscribe(wire, bearer(2, 'bob'));
        expect(await ada.whisper(wire, 'client-typing', { name: 'ada', n: [] })).toEqual({ ok: true });
        expect((await bob.next('client-typing')).args).toEqual([wire, { name: 'ada', n: [] }]);
        // The next event of the channel is the sync point: the whisper would have come before it.
        await cluster.publish(wire, laravel('after', '{}'));
        await ada.next('after');
        expect(ada.unread().filter(({ event }) => event === 'client-typing')).toEqual([]);
      }
    });

    it('is left out of a toOthers event and is not shown the id of another', async () => {
      const [ada, bob] = [await connect(options), await connect()];
      await ada.subscribe('presence-o', bearer(1, 'ada'));
      await bob.subscribe('presence-o', bearer(2, 'bob'));
      await cluster.publish('presence-o', laravel('said', `{"socket":"${ada.id}","n":1}`, ada.id));
      expect((await bob.next('said')).args).toEqual(['presence-o', { socket: null, n: 1 }]);
      await cluster.publish('presence-o', laravel('said', '{"n":2}', 'no-such-socket'));
      expect((await ada.next('said')).args).toEqual(['presence-o', { n: 2 }]);
    });

    it('is answered in order: the list, success, the ack', async () => {
      const client = await connect(options);
      const acked = client.subscribe('presence-p', bearer(5, 'eve'));
      const first = await client.next();
      const second = await client.next();
      expect(first.event).toBe('presence:subscribed');
      expect(first.args[1]).toEqual([
        { user_id: 5, user_info: { id: 5, name: 'eve' }, socketId: expect.stringMatching(/^\d+\.\d+$/) },
      ]);
      expect(first.args[1][0].socketId).not.toBe(client.id);
      expect(second).toEqual({ event: 'subscription_succeeded', args: ['presence-p', expect.any(Object)] });
      expect(await acked).toEqual({ ok: true, channel: 'presence-p' });
    });

    it("learns Laravel's refusal by event and ack", async () => {
      const client = await connect(options);
      const ack = await client.subscribe('private-forbidden', bearer(1, 'ada'));
      expect(ack).toMatchObject({ ok: false, code: 'forbidden', status: 403 });
      expect((await client.next('subscription_error')).args).toEqual(['private-forbidden', 403]);
    });

    it('answers a repeated subscribe without doubling anything', async () => {
      const client = await connect(options);
      for (const _ of [1, 2])
        expect(await client.subscribe('presence-r', bearer(1, 'ada'))).toMatchObject({ ok: true });
      await cluster.publish('presence-r', laravel('once', '{}'));
      await cluster.publish('presence-r', laravel('last', '{}'));
      await client.next('last');
      expect(client.unread().filter(({ event }) => event === 'once')).toHaveLength(1);
    });

    it('hears nothing more after it unsubscribed', async () => {
      const client = await connect(options);
      await client.subscribe('gone');
      await client.subscribe('kept');
      expect(await client.unsubscribe('gone')).toEqual({ ok: true });
      await cluster.publish('gone', laravel('x', '{}'));
      await cluster.publish('kept', laravel('y', '{}'));
      await client.next('y');
      expect(client.unread().filter(({ event }) => event === 'x')).toEqual([]);
    });
  });

  it('asks Laravel as protocol.md section 8 says', async () => {
    const client = await connect({ headers: { Cookie: 'laravel_session=abc', 'User-Agent': 'page/1' } });
    const headers = { 'X-CSRF-TOKEN': 'csrf', Host: 'evil', Cookie: 'x=y', 'X-Forwarded-For': '9.9.9.9' };
    await client.subscribe('private-asked', { headers });
    const question = auth.questions.at(-1);
    expect(question).toMatchObject({ channel: 'private-asked', socketId: client.id });
    expect(question?.headers).toMatchObject({
      cookie: 'laravel_session=abc',
      'user-agent': 'page/1',
      'x-csrf-token': 'csrf',
      'x-forwarded-for': '127.0.0.1',
      'x-requested-with': 'XMLHttpRequest',
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      host: new URL(auth.url).host,
    });
  });

  it('keeps a public subscription away from what a JWT protects', async () => {
    const stranger = await connect();
    await stranger.subscribe('chat:secret');
    const member = await connectRaw('chat:secret');
    await member.request({ message: 'psst', name: 'raw' });
    await cluster.publish('chat:secret', laravel('public', '{}'));
    const { event } = await stranger.next(({ event }) => !event.startsWith('subscription_'));
    expect(event).toBe('public');
  });

  it('brings room messages to private-X, without making it a member', async () => {
    const listener = await connect();
    await listener.subscribe('private-chat:p', bearer(3, 'cy'));
    const member = await connectRaw('chat:p');
    expect(member.unread()).toEqual([]);
    await member.request({ message: 'hi', name: 'raw' });
    expect((await listener.next('message')).args).toEqual([
      'private-chat:p',
      { sender: { name: 'raw', id: 99 }, data: { message: 'hi', name: 'raw' } },
    ]);
  });

  it('brings a room message once for each wire name that a client is subscribed to', async () => {
    const client = await connect();
    await client.subscribe('private-chat:w', bearer(3, 'cy'));
    await client.subscribe('presence-chat:w', bearer(3, 'cy'));
    await client.subscribe('chat:w', { token: mintToken({ id: 3, name: 'cy', channel: 'chat:w' }) });
    await cluster.publish('broadcast', '{"channel":"chat:w","data":{"message":"m","name":"n"}}');
    const wires = [];
    for (const _ of [1, 2, 3]) wires.push((await client.next('message')).args[0]);
    expect(wires.sort()).toEqual(['chat:w', 'presence-chat:w', 'private-chat:w']);
  });

  describe("Laravel's event `message`", () => {
    it('on presence-X arrives there as sent, and as a room message by JWT and on private-X where X is defined', async () => {
      const [presence, priv, jwt] = [await connect(), await connect(), await connect()];
      await presence.subscribe('presence-chat:m', bearer(1, 'ada'));
      await priv.subscribe('private-chat:m', bearer(2, 'bob'));
      await jwt.subscribe('chat:m', { token: mintToken({ id: 3, name: 'cy', channel: 'chat:m' }) });
      const raw = await connectRaw('chat:m');
      await cluster.publish(
        'presence-chat:m',
        laravel('message', '{"message":"hi","name":"L","socket":null}'),
      );
      const copy = { sender: { name: 'system', id: 0 }, data: { message: 'hi', name: 'L' } };
      expect((await presence.next('message')).args).toEqual([
        'presence-chat:m',
        { message: 'hi', name: 'L', socket: null },
      ]);
      expect((await priv.next('message')).args).toEqual(['private-chat:m', copy]);
      expect((await jwt.next('message')).args).toEqual(['chat:m', copy]);
      expect(await raw.next('message')).toEqual({ type: 'message', ...copy });
    });

    it("is not heard twice by an old app's pages where X has no definition", async () => {
      const [presence, priv] = [await connect(), await connect()];
      await presence.subscribe('presence-old', bearer(1, 'ada'));
      await priv.subscribe('private-old', bearer(2, 'bob'));
      const raw = await connectRaw('old');
      await cluster.publish('private-old', laravel('message', '{"a":1,"socket":null}'));
      expect(await raw.next('message')).toMatchObject({ data: { a: 1 } });
      await cluster.publish('presence-old', laravel('after', '{}'));
      await presence.next('after');
      expect(presence.unread().filter(({ event }) => event === 'message')).toEqual([]);
      expect((await priv.next('message')).args).toEqual(['private-old', { a: 1, socket: null }]);
    });

    it('of a wrong shape loses only its copies', async () => {
      const presence = await connect();
      await presence.subscribe('presence-chat:bad', bearer(1, 'ada'));
      const raw = await connectRaw('chat:bad');
      await cluster.publish('presence-chat:bad', laravel('message', '{"wrong":true}'));
      expect((await presence.next('message')).args[1]).toEqual({ wrong: true });
      await cluster.publish('broadcast', '{"channel":"chat:bad","data":{"message":"next","name":"n"}}');
      expect(await raw.next('message')).toMatchObject({ data: { message: 'next' } });
    });

    it('on plain X goes to public subscriptions alone', async () => {
      const [pub, jwt] = [await connect(), await connect()];
      await pub.subscribe('plain');
      await jwt.subscribe('plain', { token: mintToken({ id: 3, name: 'cy', channel: 'plain' }) });
      await cluster.publish('plain', laravel('message', '{"a":1}'));
      await cluster.publish('plain', laravel('other', '{"a":2}'));
      expect((await pub.next('message')).args).toEqual(['plain', { a: 1 }]);
      expect((await jwt.next(({ event }) => event === 'message' || event === 'other')).event).toBe('other');
    });
  });

  it.each([
    'connect',
    'connect_error',
    'disconnect',
    'disconnecting',
    'newListener',
    'removeListener',
    'presence:joining',
    'subscription_error',
  ])('drops an event named %s, counted, and delivers the next one', async (name) => {
    const [client, old] = [await connect(), await connect({ version: 2 })];
    for (const c of [client, old]) await c.subscribe('reserved');
    const before = await cluster.server.metric('yamabiko_dropped_total', {
      source: 'echo',
      reason: 'reserved_event',
    });
    await cluster.publish('reserved', laravel(name, '{}'));
    await cluster.publish('reserved', laravel('fine', '{}'));
    for (const c of [client, old]) {
      await c.next('fine');
      expect(c.unread().filter(({ event }) => event === name)).toEqual([]);
      expect(c.socket.connected).toBe(true);
    }
    const after = await cluster.server.metric('yamabiko_dropped_total', {
      source: 'echo',
      reason: 'reserved_event',
    });
    expect(after).toBe(before + 1);
  });
});

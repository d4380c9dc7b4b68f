import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuthEndpoint, startAuthEndpoint } from '../support/auth-endpoint.ts';
import { CLUSTERS, type Cluster } from '../support/clusters.ts';
import { mintToken } from '../support/jwt.ts';
import type { ClientVersion } from '../support/socket-io.ts';
import { WireClient } from '../support/wire-client.ts';
import { type Running, startYamabiko, until } from '../support/yamabiko.ts';

const WRONG: readonly unknown[] = [
  undefined,
  null,
  true,
  5,
  '',
  'text',
  '{not json',
  '[]',
  'null',
  [],
  [1],
  {},
  { channel: 5 },
  { channel: null },
  { channel: {} },
  { channel: ['a'] },
  { channel: '' },
  { channel: 'x'.repeat(201) },
  { channel: 'a b' },
  { channel: 'line\nbreak' },
  { channel: '#internal' },
  { channel: 'broadcast' },
  { channel: 'private-private-x' },
  { channel: 'laravel_database_news' },
  { channel: 'private-' },
  { channel: '\ud800' },
  { channel: '__proto__', auth: 5 },
  { channel: 'private-x', auth: [] },
  { channel: 'private-x', auth: { headers: 5 } },
  { channel: 'private-x', auth: { headers: { 'a\r\nb': 'c' } } },
  { channel: 'private-x', auth: { headers: { a: { b: 1 } } } },
  { channel: 'private-x', auth: { token: {} } },
  { channel: 'news', auth: { token: null } },
  { channel: 'private-x', event: 5, data: {} },
  { channel: 'private-x', event: 'no-client', data: {} },
  { channel: 'private-x', event: 'client-', data: {} },
  { channel: 'presence-x', event: 'client-x' },
  { channel: 'news', data: [] },
  { channel: 'news', data: null },
  Buffer.from('binary'),
  { channel: Buffer.from('binary') },
  { channel: 'news', data: { bytes: Buffer.from('binary') } },
];
const EVENTS = ['subscribe', 'unsubscribe', 'client event', 'send', 'unknown', 'message', 'presence:joining'];

describe.each(CLUSTERS)('bad input over Socket.IO $name', (kind) => {
  let auth: AuthEndpoint;
  let cluster: Cluster;
  beforeAll(async () => {
    auth = await startAuthEndpoint();
    cluster = await kind.start({ YAMABIKO_AUTH_URL: auth.url });
  });
  afterAll(async () => {
    await cluster?.stop();
    await auth?.stop();
  });

  it.each([2, 3, 4] as const)(
    'every wrong argument at every event is answered, and client %i lives on',
    async (version: ClientVersion) => {
      const bystander = await WireClient.open({ url: cluster.server.url });
      await bystander.subscribe('calm');
      const client = await WireClient.open({ url: cluster.server.url, version });
      for (const event of EVENTS) {
        for (const argument of WRONG) {
          const ack = await client.request(event, argument);
          const fine = ack.ok === true && ['unsubscribe', 'subscribe'].includes(event);
          const code = ack.code ?? ack.error?.code;
          expect(
            fine || typeof code === 'string',
            `${event} ${JSON.stringify(argument)}: ${JSON.stringify(ack)}`,
          ).toBe(true);
          expect(code).not.toBe('internal_error');
        }
        // Without an argument, with functions in odd places, with too many arguments.
        client.emit(event);
        client.emit(event, {}, {}, {}, [], null);
        expect(await client.request(event)).toBeDefined();
      }
      expect(client.socket.connected).toBe(true);
      expect(
        bystander.unread().filter(({ event }) => !/^subscription_(succeeded|position)$/.test(event)),
      ).toEqual([]);
      client.close();
      bystander.close();
      await cluster.server.settledToZero();
      expect(cluster.server.log.filter(({ level }) => level === 'error')).toEqual([]);
    },
  );

  it("does not let anybody join another's socket id and hear what that socket is told", async () => {
    const victim = await WireClient.open({ url: cluster.server.url });
    const thief = await WireClient.open({ url: cluster.server.url });
    await thief.subscribe(victim.id);
    await thief.subscribe('sync');
    await victim.subscribe('presence-mine', { headers: { Authorization: 'Bearer 1:ada' } });
    await victim.next('presence:subscribed');
    await cluster.publish('sync', '{"event":"sync","data":{},"socket":null}');
    await thief.next('sync');
    expect(thief.unread().map(({ event }) => event)).toEqual([
      'subscription_succeeded',
      'subscription_succeeded',
    ]);
    victim.close();
    thief.close();
    await cluster.server.settledToZero();
  });

  it('lets nobody silence a channel by a forged X-Socket-ID', async () => {
    const client = await WireClient.open({ url: cluster.server.url });
    await client.subscribe('loud');
    for (const socket of ['loud', 'channel:loud', '', '*', client.id.slice(0, -1)]) {
      await cluster.publish('loud', JSON.stringify({ event: 'heard', data: { socket }, socket }));
      await client.next('heard');
    }
    client.close();
  });

  it.each([
    ['an empty string, as Laravel sends for invalid UTF-8', '', 'not_json'],
    ['binary', Buffer.from([0xff, 0xfe, 0x00]), 'not_utf8'],
    ['no JSON', '{', 'not_json'],
    ['a number', '5', 'no_object'],
    ['a list', '[]', 'no_object'],
    ['null', 'null', 'no_object'],
    ['JSON of another program', '{"job":"x"}', 'no_event'],
    ['a number as event', '{"event":5,"data":{}}', 'no_event'],
    ['an empty event', '{"event":"","data":{}}', 'no_event'],
    ['an envelope of ours that is broken', '{"yamabiko":"joined","revision":"x"}', 'bad_envelope'],
    ['an unknown envelope of ours', '{"yamabiko":"future"}', 'bad_envelope'],
  ])('drops a payload that is %s, counts it by its reason, and goes on', async (_name, payload, reason) => {
    const client = await WireClient.open({ url: cluster.server.url });
    await client.subscribe('wild');
    const before = await cluster.server.metric('yamabiko_dropped_total', { source: 'redis', reason });
    await cluster.publish('wild', payload);
    await cluster.publish('wild', '{"event":"next","data":[]}');
    expect((await client.next('next')).args).toEqual(['wild', []]);
    expect(await cluster.server.metric('yamabiko_dropped_total', { source: 'redis', reason })).toBe(
      before + 1,
    );
    client.close();
  });
});

describe('a subscribe that is overtaken', () => {
  let running: Running;
  let auth: AuthEndpoint;
  let release: () => void = () => {};
  beforeAll(async () => {
    auth = await startAuthEndpoint(({ channel }) => {
      if (!channel.startsWith('presence-slow')) return null;
      return new Promise((resolve) => {
        release = () =>
          resolve({ status: 200, body: '{"channel_data":{"user_id":1,"user_info":{"name":"ghost"}}}' });
      });
    });
    running = await startYamabiko({ YAMABIKO_AUTH_URL: auth.url });
  });
  afterAll(async () => {
    await running?.stop();
    await auth?.stop();
  });

  it('by a disconnect leaves no ghost', async () => {
    const client = await WireClient.open({ url: running.url });
    const asked = auth.questions.length;
    client.emit('subscribe', { channel: 'presence-slow1', auth: {} });
    await until(() => auth.questions.length > asked, 'Laravel is asked');
    client.close();
    await until(() => running.snapshot().connections.echo === 0, 'the connection is gone');
    release();
    await running.settledToZero();
  });

  it('by an unsubscribe does not join', async () => {
    const client = await WireClient.open({ url: running.url });
    const asked = auth.questions.length;
    const subscribed = client.subscribe('presence-slow2');
    await until(() => auth.questions.length > asked, 'Laravel is asked');
    const unsubscribed = client.unsubscribe('presence-slow2');
    expect(await subscribed).toMatchObject({ ok: false, code: 'cancelled' });
    expect(await unsubscribed).toEqual({ ok: true });
    release();
    expect(running.snapshot().members).toBe(0);
    client.close();
    await running.settledToZero();
  });

  it('leaves nothing of a leave and rejoin in one tick, as React does it, but the rejoin', async () => {
    const client = await WireClient.open({ url: running.url });
    const token = mintToken({ id: 4, name: 'dee', channel: 'chat:react' });
    await client.subscribe('chat:react', { token });
    client.emit('unsubscribe', { channel: 'chat:react' });
    expect(await client.subscribe('chat:react', { token })).toMatchObject({ ok: true });
    expect(running.snapshot()).toMatchObject({ members: 1, subscriptions: { token: 1 } });
    client.close();
    await running.settledToZero();
  });
});

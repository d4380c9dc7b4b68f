import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type AuthEndpoint, startAuthEndpoint } from '../support/auth-endpoint.ts';
import { CLUSTERS, type Cluster } from '../support/clusters.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import type { ClientVersion } from '../support/socket-io.ts';
import { WireClient, type WireOptions } from '../support/wire-client.ts';
import { until } from '../support/yamabiko.ts';

/** Names that mean something to JavaScript, to Socket.IO's rooms, or to us. */
const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'channel:victim',
  'prototype',
  'message',
];

describe.each(CLUSTERS)('a stranger who plays with names $name', (kind) => {
  let auth: AuthEndpoint;
  let cluster: Cluster;
  const clients: WireClient[] = [];
  const open = async (options: Partial<WireOptions> = {}) => {
    const client = await WireClient.open({ url: cluster.server.url, ...options });
    clients.push(client);
    return client;
  };
  beforeAll(async () => {
    auth = await startAuthEndpoint();
    cluster = await kind.start({ YAMABIKO_AUTH_URL: auth.url });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await cluster.server.settledToZero();
    expect(cluster.server.log.filter(({ level }) => level === 'error')).toEqual([]);
    expect(Object.keys(Object.prototype), 'nothing was polluted').toEqual([]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
  afterAll(async () => {
    await cluster?.stop();
    await auth?.stop();
  });

  it('finds channels of the names of what every object inherits to be channels like any other', async () => {
    const client = await open();
    for (const name of NAMES) {
      expect(await client.subscribe(name)).toMatchObject({ ok: true, channel: name });
      await cluster.publish(name, JSON.stringify({ event: 'Hi', data: { name }, socket: null }));
      expect((await client.next('Hi')).args).toEqual([name, { name }]);
      const joined = await client.subscribe(`presence-${name}`, {
        headers: { Authorization: 'Bearer 1:ada' },
      });
      expect(joined).toMatchObject({ ok: true });
    }
    const room = await RawClient.join({
      url: cluster.server.url,
      token: mintToken({ channel: '__proto__:1' }),
    });
    expect(room.connected.users).toHaveLength(1);
    await room.close();
  });

  it('pollutes no object by keys, at any door, and what he sends is passed on as it is', async () => {
    const sent = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';
    const token = mintToken({ channel: 'chat:pollution' });
    const raw = await RawClient.join({ url: cluster.server.url, token });
    raw.sendText(`{"__proto__":{"polluted":1},"data":${sent}}`);
    expect(await raw.next('sended')).toMatchObject({ ok: false, error: { code: 'invalid_data' } });
    const client = await open();
    await client.subscribe('news');
    const auth = JSON.parse(
      `{"headers":{"__proto__":{"polluted":1},"Authorization":"Bearer 1:ada"},"__proto__":{"token":"x"}}`,
    );
    expect(await client.subscribe('private-x', auth)).toMatchObject({ ok: true });
    await cluster.publish(
      'news',
      `{"event":"Hi","data":${sent},"__proto__":{"event":"Other"},"socket":null}`,
    );
    const { args } = await client.next('Hi');
    expect(JSON.stringify(args[1])).toBe(sent);
    const posted = await fetch(`${cluster.server.url}/apps/app/events`, {
      method: 'POST',
      headers: { authorization: 'Bearer key', 'content-type': 'application/json' },
      body: `{"__proto__":{"socket_id":"x"},"channel":"news","name":"Posted","data":${sent}}`,
    });
    expect(posted.status).toBe(200);
    expect(JSON.stringify((await client.next('Posted')).args[1])).toBe(sent);
    const channels = await fetch(
      `${cluster.server.url}/apps/app/channels?__proto__[x]=1&filter_by_prefix=ne`,
      {
        headers: { authorization: 'Bearer key' },
      },
    );
    expect(Object.keys(((await channels.json()) as { channels: object }).channels)).toEqual(['news']);
    await raw.close();
  });

  it("opens no session with an id that he was shown: a member's socketId, a sender's, a toOthers", async () => {
    const victim = await open({ version: 2, transports: ['polling'] });
    const thief = await open();
    const join = (client: WireClient, user: string) =>
      client.subscribe('presence-den', { headers: { Authorization: `Bearer ${user}` } });
    await join(victim, '1:ada');
    await join(thief, '2:mallory');
    const heard = await thief.next('presence:subscribed');
    await cluster.publish(
      'presence-den',
      JSON.stringify({ event: 'Hi', data: { socket: victim.id }, socket: victim.id }),
    );
    const event = await thief.next('Hi');
    const shown = JSON.stringify([heard, event]).match(/\d{5,20}\.\d{5,20}/g) ?? [];
    expect(shown.length, 'the members have ids').toBeGreaterThan(0);
    expect(shown).not.toContain(victim.id);
    for (const id of shown)
      for (const EIO of [3, 4]) {
        const url = `${cluster.server.url}/socket.io/?EIO=${EIO}&transport=polling&sid=${id}`;
        expect((await fetch(url)).status).toBe(400);
        expect((await fetch(url, { method: 'POST', body: '2:41' })).status).toBe(400);
      }
    expect(victim.socket.connected).toBe(true);
  });

  it.each([
    ['Engine.IO 4', '4', '40'],
    ['Engine.IO 3', '3', '40'],
  ])(
    'gets one connection of one session, however often he says CONNECT (%s)',
    async (_name, EIO, connect) => {
      const url = cluster.server.url.replace('http', 'ws');
      const socket = new WebSocket(`${url}/socket.io/?EIO=${EIO}&transport=websocket`);
      let most = 0;
      socket.on('open', () => {
        for (let i = 0; i < 50; i++) socket.send(connect);
      });
      socket.on('message', () => {
        most = Math.max(most, cluster.server.snapshot().connections.echo ?? 0);
      });
      await new Promise((resolve) => socket.once('close', resolve));
      expect(most).toBeLessThanOrEqual(1);
    },
  );

  it.each([2, 3, 4] as const)(
    'client %i comes back after it has left its namespace',
    async (version: ClientVersion) => {
      const client = await open({ version });
      client.socket.disconnect();
      await until(() => (cluster.server.snapshot().connections.echo ?? 0) === 0, 'the first is gone');
      client.socket.connect();
      await client.connected();
      expect(await client.subscribe('news')).toMatchObject({ ok: true });
    },
  );
});

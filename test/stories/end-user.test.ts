import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type AuthEndpoint, startAuthEndpoint } from '../support/auth-endpoint.ts';
import { CLUSTERS_OF_NODES, type Cluster } from '../support/clusters.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { WireClient } from '../support/wire-client.ts';

describe.each(CLUSTERS_OF_NODES)('the application ends a user $name', (kind) => {
  let auth: AuthEndpoint;
  let cluster: Cluster;
  const clients: { close(): unknown }[] = [];

  beforeAll(async () => {
    auth = await startAuthEndpoint();
    cluster = await kind.start({ YAMABIKO_AUTH_URL: auth.url });
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await cluster.settledToZero();
  });
  afterAll(async () => {
    await cluster?.stop();
    await auth?.stop();
  });

  const token = (id: number, channel: string) => mintToken({ id, name: `user${id}`, channel });
  async function raw(id: number, channel: string, { url } = cluster.server): Promise<RawClient> {
    const client = await RawClient.join({ url, token: token(id, channel) });
    clients.push(client);
    return client;
  }
  async function wire({ url } = cluster.guestServer): Promise<WireClient> {
    const client = await WireClient.open({ url });
    clients.push(client);
    return client;
  }
  async function post(path: string): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${cluster.server.url}${path}`, {
      method: 'POST',
      headers: { authorization: 'Bearer key' },
    });
    return { status: response.status, body: await response.json() };
  }

  it('everywhere, by every protocol, for good, and nobody else', async () => {
    const [session, other] = [await raw(1, 'chat:end'), await raw(2, 'chat:end')];
    const [byToken, byLaravel] = [await wire(), await wire()];
    await byToken.subscribe('chat:end', { token: token(1, 'chat:end') });
    await byLaravel.subscribe('presence-other', { headers: { Authorization: 'Bearer 1:user1' } });
    const { status, body } = await post('/apps/app/users/1/terminate');
    expect({ status, body }).toEqual({ status: 200, body: { message: 'ok', connections: 3 } });
    expect(await session.next('error')).toMatchObject({ code: 'ended' });
    expect(await session.closed()).toMatchObject({ code: 4409 });
    for (const [client, channel] of [
      [byToken, 'chat:end'],
      [byLaravel, 'presence-other'],
    ] as const) {
      expect((await client.next('subscription_error')).args).toEqual([channel, 403]);
      expect((await client.next('disconnect')).args).toEqual(['io server disconnect']);
    }
    expect(await other.next('disconnectOther')).toMatchObject({ data: { user: { id: 1 } } });
    expect(other.socket.readyState).toBe(other.socket.OPEN);
  });

  it('on one channel only', async () => {
    const client = await wire();
    await client.subscribe('chat:one', { token: token(1, 'chat:one') });
    await client.subscribe('chat:two', { token: token(1, 'chat:two') });
    const { body } = await post('/apps/app/channels/chat:one/users/1/terminate');
    expect(body).toEqual({ message: 'ok', subscriptions: 1 });
    expect((await client.next('subscription_error')).args).toEqual(['chat:one', 403]);
    expect(await client.send('chat:one', { message: 'x', name: 'x' })).toMatchObject({
      error: { code: 'not_subscribed' },
    });
    expect(await client.send('chat:two', { message: 'x', name: 'x' })).toMatchObject({ ok: true });
  });

  it('answers for a user who is not there, a bad channel and a wrong key', async () => {
    expect((await post('/apps/app/users/404/terminate')).body).toEqual({ message: 'ok', connections: 0 });
    expect(await post('/apps/app/channels/a%20b/users/1/terminate')).toMatchObject({
      status: 400,
      body: { code: 'invalid_channel' },
    });
    expect((await post('/apps/other/users/1/terminate')).status).toBe(403);
  });

  it('and lists the living nodes', async () => {
    const response = await fetch(`${cluster.server.url}/apps/app/nodes`, {
      headers: { authorization: 'Bearer key' },
    });
    const { nodes } = (await response.json()) as { nodes: { id: string; version: string; ready: boolean }[] };
    expect(new Set(nodes.map(({ id }) => id)).size).toBe(kind.name.includes('two') ? 2 : 1);
    for (const node of nodes)
      expect(node).toMatchObject({
        ready: true,
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        bus_lag_ms: kind.name === 'in memory' ? null : expect.any(Number),
      });
  });

  it('at once, also where members of a page that reloads linger', async () => {
    const graceful = await kind.start({ YAMABIKO_AUTH_URL: auth.url, YAMABIKO_PRESENCE_GRACE_MS: '60000' });
    try {
      const { url } = graceful.server;
      const watcher = await RawClient.join({ url, token: token(2, 'chat:grace') });
      const session = await RawClient.join({ url, token: token(1, 'chat:grace') });
      const page = await WireClient.open({ url });
      await page.subscribe('presence-chat:grace', { token: token(3, 'chat:grace') });
      await watcher.next('connectOther');
      await watcher.next('connectOther');
      const post = (id: number) =>
        fetch(`${url}/apps/app/users/${id}/terminate`, {
          method: 'POST',
          headers: { authorization: 'Bearer key' },
        });
      for (const id of [1, 3]) {
        await post(id);
        expect(await watcher.next('disconnectOther')).toMatchObject({ data: { user: { id } } });
      }
      expect(await graceful.server.metric('yamabiko_refusals_total', { code: 'ended' })).toBe(2);
      await session.closed();
      page.close();
      await watcher.close();
    } finally {
      await graceful.stop();
    }
  });
});

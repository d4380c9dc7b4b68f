import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLUSTERS, type Cluster } from '../support/clusters.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { WireClient } from '../support/wire-client.ts';
import { startYamabiko } from '../support/yamabiko.ts';

describe.each(CLUSTERS)('the HTTP API $name', (kind) => {
  let cluster: Cluster;
  const get = async (path: string) => {
    const response = await fetch(`${cluster.server.url}${path}`, {
      headers: { authorization: 'Bearer key' },
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  beforeAll(async () => {
    cluster = await kind.start();
  });
  afterAll(() => cluster?.stop());

  it('counts subscriptions by wire name and users of the whole room, and publishes as Laravel does', async () => {
    const { url } = cluster.server;
    const token = (id: number) => mintToken({ id, name: `u${id}`, channel: 'chat:api' });
    const raw = await RawClient.join({ url, token: token(1) });
    const wire = await WireClient.open({ url });
    await wire.subscribe('presence-chat:api', { token: token(2) });
    await wire.subscribe('chat:api', { token: token(2) });
    await wire.subscribe('news');
    expect(await get('/apps/app/channels')).toEqual({
      status: 200,
      body: {
        channels: {
          'chat:api': { subscription_count: 2, occupied: true },
          'presence-chat:api': { subscription_count: 1, occupied: true },
          news: { subscription_count: 1, occupied: true },
        },
      },
    });
    expect((await get('/apps/app/channels/presence-chat:api')).body).toEqual({
      subscription_count: 1,
      user_count: 2,
      occupied: true,
    });
    const { users } = (await get('/apps/app/channels/presence-chat:api/users')).body as {
      users: { id: number }[];
    };
    expect(users.map(({ id }) => id).sort()).toEqual([1, 2]);
    expect((await get('/apps/app/channels/chat:api/users')).status).toBe(400);
    expect((await get('/apps/app/status')).body).toMatchObject({ subscription_count: 4 });

    const published = await fetch(`${url}/apps/app/events?auth_key=key`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"channels":["news"],"name":"Hi","data":{"big":9223372036854775807}}',
    });
    expect(await published.json()).toEqual({ message: 'ok' });
    expect((await wire.next('Hi')).args[0]).toBe('news');
    await raw.close();
    wire.close();
    await cluster.server.settledToZero();
  });

  it('is closed to a wrong key', async () => {
    const response = await fetch(`${cluster.server.url}/apps/app/status?auth_key=wrong`);
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: 'Unauthorized' });
  });
});

describe('the one port', () => {
  let running: Awaited<ReturnType<typeof startYamabiko>>;
  beforeAll(async () => {
    running = await startYamabiko({ YAMABIKO_ORIGINS: 'https://app.example' });
  });
  afterAll(() => running?.stop());

  it.each(['/socket.iox/?EIO=4&transport=websocket', '/nowhere', '/ws/more', '//', '/%', '/ws%2f'])(
    'answers and closes an upgrade of %s that nobody takes',
    async (path) => {
      const { port } = new URL(running.url);
      const socket = connect(Number(port), '127.0.0.1');
      const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n`,
      );
      let answer = '';
      for await (const chunk of socket) answer += chunk;
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    },
  );

  it.each([
    ['no Origin', undefined, true],
    ["the page's own host on another port", 'http://127.0.0.1:8080', true],
    ['a listed origin', 'https://app.example', true],
    ['a stranger', 'https://evil.example', false],
    ['null, as a sandboxed frame sends', 'null', false],
  ])('has one rule for %s: polling, WebSocket and raw', async (_name, origin, allowed) => {
    const headers = origin === undefined ? {} : { origin };
    const polling = await fetch(`${running.url}/socket.io/?EIO=4&transport=polling`, { headers });
    expect(polling.status === 200).toBe(allowed);
    if (origin !== undefined) {
      expect(polling.headers.get('vary')).toContain('Origin');
      expect(polling.headers.get('access-control-allow-origin')).toBe(allowed ? origin : null);
    }
    expect(await upgrades('/socket.io/?EIO=4&transport=websocket', headers)).toBe(allowed);
    expect(await upgrades(`/ws?token=${mintToken({})}`, headers)).toBe(allowed);
  });

  it('answers a preflight of a polling page', async () => {
    const response = await fetch(`${running.url}/socket.io/?EIO=4&transport=polling`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,x-custom',
      },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(response.headers.get('access-control-allow-credentials')).toBe('true');
    expect(response.headers.get('access-control-allow-headers')).toContain('x-custom');
  });

  it('tells who is alive and ready, and its metrics to this machine', async () => {
    expect((await fetch(`${running.url}/health/live`)).status).toBe(200);
    expect((await fetch(`${running.url}/health/ready`)).status).toBe(200);
    expect(await (await fetch(`${running.url}/metrics`)).text()).toContain('yamabiko_connections');
    const forwarded = await fetch(`${running.url}/metrics`, { headers: { 'x-forwarded-for': '1.2.3.4' } });
    expect(forwarded.status).toBe(403);
    expect(await (await fetch(`${running.url}/`)).text()).toBe('OK');
    expect((await fetch(`${running.url}/demo`)).status).toBe(404);
  });

  function upgrades(path: string, headers: Record<string, string>): Promise<boolean> {
    return new Promise((resolve) => {
      const req = request(`${running.url}${path}`, {
        headers: {
          ...headers,
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        },
      });
      req.on('upgrade', (_res, socket) => {
        socket.destroy();
        resolve(true);
      });
      req.on('response', (res) => {
        res.resume();
        resolve(false);
      });
      req.on('error', () => resolve(false));
      req.end();
    });
  }
});

import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SECRET } from '../cli/binary.ts';
import { type AuthEndpoint, startAuthEndpoint } from '../support/auth-endpoint.ts';
import { EchoClient } from '../support/echo-client.ts';
import { freePort } from '../support/free-port.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { RedisServer } from '../support/redis-server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { CLIENT_VERSIONS, type ClientVersion, type Transport } from '../support/socket-io.ts';
import { WireClient } from '../support/wire-client.ts';

const ROOM = 'chat:1';
const token = (id: number) => mintToken({ id, name: `user${id}`, channel: ROOM }, { secret: SECRET });
const EVERY_ECHO = CLIENT_VERSIONS.flatMap((version) =>
  (['websocket', 'polling'] as const).map((transport) => ({ version, transport })),
);

interface Stage {
  readonly redis: RedisServer;
  readonly auth: AuthEndpoint;
  readonly env: Readonly<Record<string, string>>;
}

async function stage(): Promise<Stage> {
  const [redis, auth] = [await RedisServer.start(), await startAuthEndpoint()];
  onTestFinished(async () => {
    await redis.stop();
    await auth.stop();
  });
  const env = { YAMABIKO_REDIS_URL: redis.url, YAMABIKO_AUTH_URL: auth.url, YAMABIKO_APPS: 'app:key' };
  return { redis, auth, env };
}

async function echo(url: string, id: number, version: ClientVersion, transport: Transport) {
  const client = await EchoClient.open({ url, version, transports: [transport], bearer: `${id}:user${id}` });
  onTestFinished(() => client.close());
  return client;
}

/** How a handshake of a WebSocket is answered. */
async function upgradeStatus(url: string): Promise<number | undefined> {
  const asked = get(url, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    },
  });
  const [response] = (await Promise.race([once(asked, 'response'), once(asked, 'upgrade')])) as [
    IncomingMessage,
  ];
  asked.destroy();
  return response.statusCode;
}

/** What the server answered, as a client tells it: a poll by its status, a WebSocket in words. */
function statusIn(error: unknown): string | undefined {
  const { description } = error as { description?: { message?: string } | number };
  const text = typeof description === 'object' ? description.message : description;
  return /\d{3}/.exec(String(text))?.[0];
}

/** A client whose end of the connection has gone to sleep: it answers no close. */
async function sleeper(url: string, id: number): Promise<RawClient> {
  const client = await RawClient.join({ url, token: token(id) });
  onTestFinished(() => client.cut());
  client.socket.pause();
  return client;
}

describe('SIGTERM', { timeout: 60_000 }, () => {
  it('tells every client to come back, and members leave at once for those on another node', async () => {
    const { env } = await stage();
    const port = String(await freePort());
    const [leaving, staying] = await Promise.all([
      ServerProcess.ready({ ...env, YAMABIKO_PORT: port }),
      ServerProcess.ready(env),
    ]);
    const watcher = await RawClient.join({ url: staying.url, token: token(1) });
    const raw = await RawClient.join({ url: leaving.url, token: token(2) });
    const echoes = [];
    for (const [i, { version, transport }] of EVERY_ECHO.entries()) {
      const client = await echo(leaving.url, i + 3, version, transport);
      echoes.push({ client, subscription: client.join(ROOM) });
      await watcher.next((f) => f.type === 'connectOther' && f.data.user.id === i + 3);
    }
    for (const { subscription } of echoes) await subscription.next('here');
    watcher.drain();

    leaving.kill('SIGTERM');
    expect(await raw.next('error')).toMatchObject({ type: 'error', code: 'restarting' });
    expect(await raw.closed()).toEqual({ code: 1012, reason: 'restarting' });
    const gone = new Set<number>();
    while (gone.size < EVERY_ECHO.length + 1)
      gone.add((await watcher.next((f) => f.type === 'disconnectOther')).data.user.id);
    expect(await leaving.ended).toMatchObject({ code: 0, stderr: '' });
    expect(watcher.unread()).toEqual([]);

    // They come back by themselves, to whoever listens there now.
    const back = await ServerProcess.ready({ ...env, YAMABIKO_PORT: port });
    for (const { client, subscription } of echoes) {
      await client.connected();
      expect((await subscription.next('here')).payload).toContainEqual({ id: 1, name: 'user1' });
    }
    for (const i of EVERY_ECHO.keys())
      await watcher.next((f) => f.type === 'connectOther' && f.data.user.id === i + 3);
    for (const server of [back, staying]) server.kill('SIGTERM');
    for (const server of [back, staying]) expect(await server.ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('turns ready to 503, refuses newcomers, and a second one does not cut the drain short', async () => {
    const { env } = await stage();
    const [server, other] = await Promise.all([ServerProcess.ready(env), ServerProcess.ready(env)]);
    const watcher = await RawClient.join({ url: other.url, token: token(1) });
    const asleep = await sleeper(server.url, 2);
    const page = await WireClient.open({ url: server.url, reconnection: false });
    await watcher.next('connectOther');

    server.kill('SIGTERM');
    // Before its connection has ended: who sleeps is not there any more.
    expect((await watcher.next('disconnectOther')).data.user.id).toBe(2);
    await page.next('disconnect');
    await server.answersReady(503);
    expect(await (await fetch(`${server.url}/health/ready`)).text()).toContain('restarting');
    server.kill('SIGTERM');
    await server.says(/already stopping/);
    const newcomer = await RawClient.open({ url: server.url, token: token(3) });
    expect(await newcomer.next()).toMatchObject({ type: 'error', code: 'restarting' });
    expect((await newcomer.closed()).code).toBe(1012);
    const polling = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, {
      headers: { origin: server.url },
    });
    expect([polling.status, await polling.json()]).toEqual([503, { code: 4, message: 'restarting' }]);
    expect(polling.headers.get('access-control-allow-origin')).toBe(server.url);
    expect(await upgradeStatus(`${server.url}/socket.io/?EIO=4&transport=websocket`)).toBe(503);
    for (const version of CLIENT_VERSIONS)
      await expect(WireClient.open({ url: server.url, version, reconnection: false })).rejects.toThrow();
    expect(asleep.socket.readyState).toBe(asleep.socket.OPEN);
    expect(await server.ended).toMatchObject({ code: 0, stderr: '' });
    expect(watcher.unread()).toEqual([]);
    await watcher.close();
  });

  it('answers newcomers 503, and they come in by themselves when the next one listens there', async () => {
    const { env } = await stage();
    const port = String(await freePort());
    const server = await ServerProcess.ready({ ...env, YAMABIKO_PORT: port });
    const asleep = await sleeper(server.url, 1);
    server.kill('SIGTERM');
    await server.answersReady(503);
    const newcomers = EVERY_ECHO.map(({ version, transport }) => {
      const client = new WireClient({ url: server.url, version, transports: [transport] });
      onTestFinished(() => client.close());
      const refused = new Promise<unknown>((resolve) => client.socket.on('connect_error', resolve));
      return { client, refused, name: `client ${version} by ${transport}` };
    });
    for (const { refused, name } of newcomers) expect([name, statusIn(await refused)]).toEqual([name, '503']);
    asleep.cut();
    expect(await server.ended).toMatchObject({ code: 0 });
    const next = await ServerProcess.ready({ ...env, YAMABIKO_PORT: port });
    for (const { client } of newcomers) await client.connected();
    next.kill('SIGTERM');
    expect(await next.ended).toMatchObject({ code: 0 });
  });

  it('ends with 0 when the drain is over, whoever is still there', async () => {
    const { env } = await stage();
    const server = await ServerProcess.ready({ ...env, YAMABIKO_DRAIN_MS: '300' });
    await sleeper(server.url, 1);
    const polling = await echo(server.url, 2, 4, 'polling');
    await polling.join(ROOM).next('here');
    server.kill('SIGTERM');
    expect(await server.ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('ends with 0 also where Redis has gone, or is frozen', async () => {
    for (const hurt of ['kill', 'pause'] as const) {
      const { env, redis } = await stage();
      const server = await ServerProcess.ready({ ...env, YAMABIKO_DRAIN_MS: '1000' });
      const raw = await RawClient.join({ url: server.url, token: token(1) });
      await redis[hurt]();
      server.kill('SIGTERM');
      expect((await raw.closed()).code).toBe(1012);
      expect(await server.ended).toMatchObject({ code: 0, stderr: '' });
    }
  });

  it('leaves nobody behind of two hundred, and every one of them is told', async () => {
    const { env, redis } = await stage();
    const [server, other] = await Promise.all([ServerProcess.ready(env), ServerProcess.ready(env)]);
    const watcher = await RawClient.join({ url: other.url, token: token(1) });
    const crowd: RawClient[] = [];
    for (let id = 2; id <= 101; id += 20)
      crowd.push(
        ...(await Promise.all(
          Array.from({ length: 20 }, (_, i) => RawClient.join({ url: server.url, token: token(id + i) })),
        )),
      );
    const pages = await Promise.all(
      Array.from({ length: 100 }, () => WireClient.open({ url: server.url, reconnection: false })),
    );
    await Promise.all(pages.map((page, i) => page.subscribe(`presence-${ROOM}`, { token: token(200 + i) })));
    for (let came = 0; came < 200; came++) await watcher.next('connectOther');

    server.kill('SIGTERM');
    const codes = await Promise.all(crowd.map(async (client) => (await client.closed()).code));
    expect(new Set(codes)).toEqual(new Set([1012]));
    const reasons = await Promise.all(pages.map(async (page) => (await page.next('disconnect')).args[0]));
    expect(new Set(reasons)).toEqual(new Set(['transport close']));
    const gone = new Set<number>();
    while (gone.size < 200) gone.add((await watcher.next('disconnectOther')).data.user.id);
    expect(await server.ended).toMatchObject({ code: 0, stderr: '' });
    expect(watcher.unread()).toEqual([]);
    await watcher.close();
    other.kill('SIGTERM');
    await other.ended;
    const keys = await redis.client.keys('*');
    // A revision outlives its room, and what was published is kept for whoever comes back.
    expect(keys.filter((key) => !/:revision$|:\{home\}:log:/.test(key))).toEqual([]);
  });
});

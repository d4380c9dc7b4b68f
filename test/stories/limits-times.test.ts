import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startAuthEndpoint } from '../support/auth-endpoint.ts';
import { mintToken } from '../support/jwt.ts';
import { isRefused, PollingSession } from '../support/limit-doors.ts';
import { RawClient } from '../support/raw-client.ts';
import type { SocketIoOptions } from '../support/socket-io.ts';
import { WireClient } from '../support/wire-client.ts';
import { type Running, startYamabiko, until } from '../support/yamabiko.ts';

let running: Running;
afterEach(async () => {
  await running?.settledToZero();
  await running?.stop();
});

function open(): Socket {
  return connect(Number(new URL(running.url).port), '127.0.0.1');
}

async function hear(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

// Node looks every five seconds whether a request is late.
describe('a request', () => {
  it.each([
    ['that never begins', ''],
    ['whose headers do not end', 'GET /ws HTTP/1.1\r\nHost: localhost\r\nX-Slow: '],
    ['of an upgrade that does not end', 'GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n'],
  ])('%s is ended with a code', async (_what, bytes) => {
    running = await startYamabiko({ YAMABIKO_HANDSHAKE_TIMEOUT_MS: '300' });
    const socket = open();
    socket.write(bytes);
    const answer = await hear(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('"code":"timed_out"');
    expect(await running.metric('yamabiko_refusals_total', { code: 'timed_out' })).toBe(1);
  });

  it('whose body does not end is ended with a code, and its session with it', async () => {
    running = await startYamabiko({
      YAMABIKO_HTTP_REQUEST_TIMEOUT_MS: '1000',
      YAMABIKO_HANDSHAKE_TIMEOUT_MS: '900',
    });
    const session = (await PollingSession.open(running.url, 4)) as PollingSession;
    const { pathname, search } = new URL(session.address);
    const socket = open();
    socket.write(`POST ${pathname}${search} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n42[`);
    const answer = await hear(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('"code":"timed_out"');
    await running.settledToZero();
  });
});

describe('a session of Engine.IO whose client never says what it wants', () => {
  it.each(['websocket', 'polling'] as const)('by %s loses its place, counted', async (transport) => {
    running = await startYamabiko({ YAMABIKO_HANDSHAKE_TIMEOUT_MS: '300' });
    if (transport === 'polling') {
      expect(isRefused((await PollingSession.shakeHands(running.url, 4)) as never)).toBe(false);
    } else {
      const address = `${running.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
      await once(new WebSocket(address), 'close');
    }
    await running.settledToZero();
    expect(await running.metric('yamabiko_refusals_total', { code: 'timed_out' })).toBe(1);
  });
});

const CLIENTS: readonly Pick<Required<SocketIoOptions>, 'version' | 'transports'>[] = [
  { version: 4, transports: ['websocket'] },
  { version: 4, transports: ['polling'] },
  { version: 2, transports: ['websocket'] },
  { version: 2, transports: ['polling'] },
];

describe.each(CLIENTS)('client $version by $transports that subscribes to nothing', (options) => {
  it('is ended with a code, comes back by itself, and stays when it subscribes', async () => {
    running = await startYamabiko({ YAMABIKO_FIRST_SUBSCRIBE_MS: '1000' });
    const calm = await WireClient.open({ url: running.url });
    await calm.subscribe('news');
    const client = await WireClient.open({ url: running.url, ...options });
    expect((await client.next('subscription_closed')).args).toEqual([
      '',
      { code: 'timed_out', status: 408, message: expect.any(String) },
    ]);
    await client.next('disconnect');
    await client.connected();
    expect(await client.subscribe('news')).toMatchObject({ ok: true });
    // Past the time of both.
    const subscribedAtMs = Date.now();
    await until(() => Date.now() - subscribedAtMs > 1_500, 'its time would be over');
    await running.server.publish('news', '{"event":"e","data":{},"socket":null}');
    await Promise.all([client.next('e'), calm.next('e')]);
    expect(calm.unread().filter(({ event }) => event === 'disconnect')).toEqual([]);
    for (const one of [client, calm]) one.close();
  });
});

describe('a token that is never judged', () => {
  it('ends with the time of its answer: nobody waits at the door of raw', async () => {
    // An upgrade brings its token or none; there is nothing to wait for but the answer.
    running = await startYamabiko({});
    const missing = await RawClient.open({ url: running.url });
    expect(await missing.next()).toMatchObject({ type: 'error', code: 'token_missing' });
    expect((await missing.closed()).code).toBe(4401);
  });

  it('of a channel that Laravel never answers for ends after its time', async () => {
    const auth = await startAuthEndpoint(() => new Promise(() => {}));
    running = await startYamabiko({ YAMABIKO_AUTH_URL: auth.url, YAMABIKO_AUTH_TIMEOUT_MS: '300' });
    const client = await WireClient.open({ url: running.url });
    expect(await client.subscribe('private-x')).toMatchObject({ ok: false, code: 'auth_error' });
    client.close();
    await running.settledToZero();
    await auth.stop();
  });
});

describe('who is silent', () => {
  it.each([3, 4] as const)(
    'by polling of Engine.IO %i loses its place, and members see it leave',
    async (EIO) => {
      running = await startYamabiko({ YAMABIKO_PING_INTERVAL_MS: '200', YAMABIKO_PING_TIMEOUT_MS: '300' });
      const token = (id: number) => mintToken({ id, name: `user ${id}`, channel: 'room' });
      const calm = await RawClient.join({ url: running.url, token: token(1) });
      const session = (await PollingSession.open(running.url, EIO)) as PollingSession;
      await session.post(`42["subscribe",{"channel":"room","auth":{"token":"${token(2)}"}}]`);
      await calm.next('connectOther');
      // It asks for nothing more.
      await calm.next('disconnectOther');
      await until(() => running.snapshot().places === 1, 'its place is free');
      await calm.close();
    },
  );
});

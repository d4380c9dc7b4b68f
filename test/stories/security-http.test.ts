import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WireClient } from '../support/wire-client.ts';
import { type Running, startYamabiko } from '../support/yamabiko.ts';

const post = (more: string, body: string) =>
  `POST /apps/app/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer key\r\n${more}\r\n\r\n${body}`;
const event = (name: string) => JSON.stringify({ channel: 'news', name, data: {} });
const whole = (name: string) => post(`Content-Length: ${event(name).length}`, event(name));

/** What a proxy in front may read in one way and this server in another: then a stranger speaks in a proxy's name. */
const SMUGGLING: readonly (readonly [string, string])[] = [
  [
    'a length and chunks',
    post('Content-Length: 5\r\nTransfer-Encoding: chunked', `0\r\n\r\n${whole('smuggled')}`),
  ],
  [
    'chunks and a length',
    post('Transfer-Encoding: chunked\r\nContent-Length: 5', `0\r\n\r\n${whole('smuggled')}`),
  ],
  ['two lengths', post('Content-Length: 0\r\nContent-Length: 44', whole('smuggled'))],
  ['a list of lengths', post('Content-Length: 0, 0', whole('smuggled'))],
  ['a length with a sign', post('Content-Length: +0', whole('smuggled'))],
  ['a length in hex', post('Content-Length: 0x0', whole('smuggled'))],
  ['a length with a letter', post('Content-Length: 0a', whole('smuggled'))],
  ['an unknown transfer coding', post('Transfer-Encoding: xchunked', whole('smuggled'))],
  [
    'chunked that is not the last coding',
    post('Transfer-Encoding: chunked, identity', `0\r\n\r\n${whole('smuggled')}`),
  ],
  ['a space before the colon', post('Transfer-Encoding : chunked', `0\r\n\r\n${whole('smuggled')}`)],
  ['a folded header', post('X: a\r\n Transfer-Encoding: chunked', whole('smuggled'))],
  ['a name with a line feed', post('X: a\nTransfer-Encoding: chunked', `0\r\n\r\n${whole('smuggled')}`)],
  [
    'a chunk size that overflows',
    post('Transfer-Encoding: chunked', `10000000000000000\r\n${whole('smuggled')}`),
  ],
  ['a chunk size with a sign', post('Transfer-Encoding: chunked', `-1\r\n${whole('smuggled')}`)],
  [
    'a chunk extension with a line feed',
    post('Transfer-Encoding: chunked', `0;a\nb\r\n\r\n${whole('smuggled')}`),
  ],
  ['a NUL in a header', post('X: a\0b', whole('smuggled'))],
  ['no version that there is', whole('first').replace('HTTP/1.1', 'HTTP/1.10')],
];

/** Everything that comes until the server closes. */
function exchange(port: string, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk));
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}

const statuses = (answer: string) => [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status);

describe('a stranger at the HTTP port', () => {
  let running: Running;
  let onlooker: WireClient;
  beforeAll(async () => {
    running = await startYamabiko({ YAMABIKO_APPS: 'app:key', YAMABIKO_HTTP_MAX_BODY_BYTES: '100000' });
    onlooker = await WireClient.open({ url: running.url });
    await onlooker.subscribe('news');
  });
  afterAll(async () => {
    onlooker?.close();
    await running?.stop();
  });
  const port = () => new URL(running.url).port;

  /** What was published up to now. */
  async function published(): Promise<string[]> {
    await running.server.publish('news', '{"event":"sync","data":{},"socket":null}');
    await onlooker.next('sync');
    return onlooker
      .drain()
      .map(({ event }) => event)
      .filter((name) => !name.startsWith('subscription_'));
  }

  it.each(SMUGGLING)('smuggles no request into the API by %s', async (_name, text) => {
    const answer = await exchange(port(), text);
    expect(statuses(answer)).toEqual(['400']);
    expect(answer.toLowerCase()).toContain('connection: close');
    expect(await published()).toEqual([]);
  });

  it('smuggles none behind an upgrade, taken or refused', async () => {
    const upgrade = (path: string) =>
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 200\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n${whole('smuggled')}`;
    for (const path of ['/ws', '/nowhere', '/socket.io/?EIO=4&transport=websocket'])
      expect(statuses(await exchange(port(), upgrade(path))).length, path).toBe(1);
    expect(await published()).toEqual([]);
  });

  it('may send two requests at once that are two: both are answered in their order', async () => {
    const answer = exchange(port(), whole('one') + whole('two').replace('Host', 'Connection: close\r\nHost'));
    expect(statuses(await answer)).toEqual(['200', '200']);
    expect(await published()).toEqual(['one', 'two']);
  });

  it('fills no memory with a body that unfolds', async () => {
    const headers = {
      authorization: 'Bearer key',
      'content-encoding': 'gzip',
      'content-type': 'application/json',
    };
    const bomb = await fetch(`${running.url}/apps/app/events`, {
      method: 'POST',
      headers,
      body: gzipSync(Buffer.alloc(50_000_000, ' ')),
    });
    expect(bomb.status).toBe(413);
    expect(((await bomb.json()) as { code: string }).code).toBe('too_large');
    const small = gzipSync(event('unfolded'));
    expect(
      (await fetch(`${running.url}/apps/app/events`, { method: 'POST', headers, body: small })).status,
    ).toBe(200);
    expect(await published()).toEqual(['unfolded']);
  });

  it('has nothing read of what he sends before his key is known', async () => {
    const answer = await exchange(
      port(),
      `POST /apps/app/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 90000\r\n\r\n{`,
    );
    expect(statuses(answer)).toEqual(['403']);
  });
});

describe('without being asked for', () => {
  let running: Running;
  beforeAll(async () => {
    running = await startYamabiko();
  });
  afterAll(() => running?.stop());

  it.each([
    ['GET', '/apps/app/status'],
    ['GET', '/apps/undefined/status?auth_key=undefined'],
    ['GET', '/apps//status'],
    ['GET', '/apps/app/channels?auth_key='],
    ['GET', '/apps/app/nodes?auth_key=null'],
    ['POST', '/apps/app/events'],
    ['POST', '/apps/app/users/1/terminate'],
    ['POST', '/apps/app/channels/news/users/1/terminate'],
  ])('no API answers: %s %s', async (method, path) => {
    for (const authorization of ['', 'Bearer', 'Bearer undefined', 'Bearer null', 'Basic YTpi'])
      expect([403, 404]).toContain(
        (await fetch(running.url + path, { method, headers: { authorization } })).status,
      );
  });

  it.each([
    '/demo',
    '/demo/',
    '/demo/token',
    '/demo/auth',
    '/admin',
    '/console',
    '/debug',
    '/.env',
    '/socket.io/socket.io.js.map',
    '/socket.io/../package.json',
  ])('there is no page at %s', async (path) => {
    for (const method of ['GET', 'POST']) {
      const { status } = await fetch(running.url + path, { method });
      expect([400, 404]).toContain(status);
    }
  });

  it('the metrics are shown to nobody through a proxy, with whatever key', async () => {
    for (const key of ['', 'null', 'undefined', 'Bearer'])
      expect(
        (
          await fetch(`${running.url}/metrics`, {
            headers: { 'x-forwarded-for': '192.0.2.1', authorization: `Bearer ${key}` },
          })
        ).status,
      ).toBe(403);
  });

  it('no namespace but the one is there', async () => {
    for (const namespace of ['/admin', '/__proto__', '/constructor']) {
      const client = new WireClient({ url: `${running.url}${namespace}`, reconnection: false });
      await expect(client.connected()).rejects.toThrow('Invalid namespace');
      client.close();
    }
  });

  it.each(['TRACE', 'CONNECT', 'PUT', 'DELETE', 'PROPFIND'])('the method %s does nothing', async (method) => {
    const answer = await exchange(
      new URL(running.url).port,
      `${method} / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    expect(statuses(answer)).not.toContain('200');
    expect(answer).not.toContain('Host: x');
  });
});

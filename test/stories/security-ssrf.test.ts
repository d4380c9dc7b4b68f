import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startAuthEndpoint } from '../support/auth-endpoint.ts';
import { mintToken, TEST_SECRET } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { WireClient } from '../support/wire-client.ts';
import { startYamabiko } from '../support/yamabiko.ts';

/** Somebody whom this server must never be sent to. */
async function startTrap() {
  let visits = 0;
  const server = createServer((_request, response) => {
    visits++;
    response.end('true');
  });
  server.on('connection', () => visits++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { host, url: `http://${host}/broadcasting/auth`, visits: () => visits };
}

test('a stranger sends this server nowhere but to its Laravel, whatever host he names', async () => {
  const [trap, laravel] = [await startTrap(), await startAuthEndpoint()];
  const server = await startYamabiko({ YAMABIKO_AUTH_URL: laravel.url });
  onTestFinished(async () => {
    await server.stop();
    await laravel.stop();
  });
  const named = {
    referer: trap.url,
    'x-forwarded-host': trap.host,
    'x-forwarded-server': trap.host,
    'x-forwarded-proto': 'http',
    'x-original-url': trap.url,
    'x-rewrite-url': trap.url,
    forwarded: `host=${trap.host}`,
    via: `1.1 ${trap.host}`,
    proxy: trap.url,
  };
  const authHeaders = {
    ...named,
    Host: trap.host,
    Authorization: 'Bearer 1:ada',
    Origin: `http://${trap.host}`,
    'X-Forwarded-For': trap.host,
    'Transfer-Encoding': 'chunked',
    Connection: 'upgrade',
    Upgrade: 'h2c',
    'Http2-Settings': 'AAMAAABkAAQAAP__',
  };
  const client = await WireClient.open({
    url: server.url,
    headers: { ...named, Cookie: `XDEBUG=${trap.url}` },
    auth: { host: trap.url, authHost: trap.url, endpoint: trap.url },
    query: { authHost: trap.url, host: trap.host },
  });
  onTestFinished(() => client.close());
  const more = { host: trap.url, authHost: trap.url, authEndpoint: trap.url, url: trap.url };
  for (const channel of [
    'private-a',
    `private-${trap.url}`,
    `presence-//${trap.host}/`,
    `private-@${trap.host}`,
  ]) {
    await client.request('subscribe', { channel, ...more, auth: { headers: authHeaders, ...more } });
    expect(laravel.questions.at(-1)).toMatchObject({ channel });
  }
  for (const { headers } of laravel.questions) {
    expect(headers.host).toBe(new URL(laravel.url).host);
    expect(headers['x-forwarded-for'], 'the address of the socket').toBe('127.0.0.1');
    // Of what names a host, only what a page sends of itself: Origin and Referer are no one's direction.
    const { origin: _origin, referer: _referer, cookie: _cookie, ...others } = headers;
    expect(JSON.stringify(others)).not.toContain(trap.host);
    expect(headers.upgrade).toBeUndefined();
  }
  expect(trap.visits()).toBe(0);
});

test('nor by keys that a token names, nor as a proxy', async () => {
  const trap = await startTrap();
  const server = await startYamabiko({ YAMABIKO_JWKS_URL: 'http://127.0.0.1:9/keys' });
  onTestFinished(() => server.stop());
  const header = {
    jku: trap.url,
    x5u: trap.url,
    iss: trap.url,
    kid: trap.url,
    jwk: { kty: 'oct', k: 'AAAA' },
  };
  const input = [
    { ...header, alg: 'RS256' },
    { id: 1, name: 'a', channel: 'x', iat: 1, exp: 9_999_999_999, iss: trap.url },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const tokens = [
    mintToken({}, { header, secret: 'another-secret-another-secret-12345' }),
    `${input}.${createHmac('sha256', TEST_SECRET).update(input).digest('base64url')}`,
  ];
  for (const token of tokens) {
    const client = await RawClient.open({ url: server.url, token });
    expect((await client.closed()).code).toBeGreaterThanOrEqual(1013);
  }
  for (const text of [
    `GET ${trap.url} HTTP/1.1\r\nHost: ${trap.host}\r\nConnection: close\r\n\r\n`,
    `CONNECT ${trap.host} HTTP/1.1\r\nHost: ${trap.host}\r\n\r\n`,
  ])
    await new Promise<void>((resolve) => {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(text));
      socket.resume().once('close', () => resolve());
    });
  expect(trap.visits()).toBe(0);
});

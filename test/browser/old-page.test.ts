import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startYamabiko } from '../support/yamabiko.ts';
import { launchChromium } from './chromium.ts';

// Chromium and a server share two cores with other tests.
vi.setConfig({ testTimeout: 120_000 });

const SCRIPT = '/socket.io/socket.io.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());

async function server(version: string) {
  const running = await startYamabiko({ YAMABIKO_CLIENT_SCRIPT: version });
  onTestFinished(() => running.stop());
  return running;
}

describe.each(['2', '4'])('a page that loads socket.io-client %s from the server', (version) => {
  it('connects with it and hears what Laravel says', async () => {
    const { url, server: yamabiko } = await server(version);
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    await page.goto(`${url}/`);
    // The whole of an old page: a script tag, and what it does with the global `io`.
    await page.addScriptTag({ url: SCRIPT });
    const heard = page.evaluate(
      `new Promise((resolve, reject) => {
        const socket = io();
        socket.on('connect_error', reject);
        socket.on('connect', () => socket.emit('subscribe', { channel: 'news', auth: {} }));
        socket.on('subscription_succeeded', () => { document.title = 'subscribed'; });
        socket.on('App\\\\Events\\\\Told', (channel, data) => resolve([channel, data]));
      })`,
    );
    await page.waitForFunction("document.title === 'subscribed'");
    await yamabiko.publish('news', '{"event":"App\\\\Events\\\\Told","data":{"a":1},"socket":null}');
    expect(await heard).toEqual(['news', { a: 1 }]);
    // Version 4 of the client does not say it.
    expect(await page.evaluate('io.protocol ?? null')).toBe(version === '2' ? 4 : null);
  });
});

describe('the client script', () => {
  it('is compressed, cached, and not sent again while it is the same', async () => {
    const { url } = await server('2');
    const first = await fetch(url + SCRIPT);
    expect(Object.fromEntries(first.headers)).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'content-encoding': 'gzip',
      'cache-control': 'public, max-age=3600',
      vary: 'Accept-Encoding',
      'access-control-allow-origin': '*',
    });
    const etag = first.headers.get('etag') ?? '';
    const again = await fetch(url + SCRIPT, { headers: { 'if-none-match': `"other", W/${etag}` } });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const other = await fetch(url + SCRIPT, { headers: { 'if-none-match': '"other"' } });
    expect([other.status, await other.text()]).toEqual([200, await first.text()]);
  });

  it('goes out plain to who cannot read gzip', async () => {
    const { url } = await server('4');
    const response = await fetch(url + SCRIPT, { headers: { 'accept-encoding': 'gzip;q=0' } });
    expect(response.headers.get('content-encoding')).toBeNull();
    expect(await response.text()).toContain('Socket.IO v4');
  });

  it('is told by its tag when the version is another one', async () => {
    const tags = await Promise.all(
      ['2', '4'].map(async (version) =>
        (await fetch((await server(version)).url + SCRIPT)).headers.get('etag'),
      ),
    );
    expect(new Set(tags).size).toBe(2);
  });

  it('is asked for with GET or HEAD, and its map is there', async () => {
    const { url } = await server('2');
    const head = await fetch(url + SCRIPT, { method: 'HEAD', headers: { 'accept-encoding': 'identity' } });
    expect([head.status, Number(head.headers.get('content-length')) > 10_000]).toEqual([200, true]);
    expect((await fetch(url + SCRIPT, { method: 'POST' })).status).toBe(405);
    expect(((await (await fetch(`${url}${SCRIPT}.map`)).json()) as { version: number }).version).toBe(3);
  });

  it('can be turned off, and is no way past the protocol', async () => {
    const { url } = await server('off');
    expect((await fetch(url + SCRIPT)).status).toBe(400);
    expect((await fetch(`${(await server('2')).url}/socket.io/../package.json`)).status).toBe(404);
  });
});

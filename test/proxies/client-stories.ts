import { expect, it, onTestFinished } from 'vitest';
import { launchChromium } from '../browser/chromium.ts';
import { mintToken } from '../support/jwt.ts';
import type { ClientVersion, Transport } from '../support/socket-io.ts';
import { until } from '../support/yamabiko.ts';
import { namesOf, type Scene } from './support/scene.ts';

const WAYS: readonly [ClientVersion, readonly Transport[]][] = [
  [2, ['polling']],
  [2, ['websocket']],
  [2, ['polling', 'websocket']],
  [4, ['polling']],
  [4, ['websocket']],
  [4, ['polling', 'websocket']],
];

/** Runs in the page: how it got here, a poll's status, and what each raw path says first. */
const PAGE_SCRIPT = `async (token) => {
  const firstFrame = (path) => new Promise((resolve) => {
    const socket = new WebSocket(location.origin.replace('http', 'ws') + path + '?token=' + token);
    socket.onmessage = ({ data }) => resolve(JSON.parse(data).type);
    socket.onclose = ({ code }) => resolve(code);
  });
  const [{ nextHopProtocol }] = performance.getEntriesByType('navigation');
  const poll = await fetch('/socket.io/?EIO=4&transport=polling');
  return [nextHopProtocol, poll.status, await firstFrame('/ws'), await firstFrame('/')];
}`;

/** What a client has through a proxy: all that it would have without. */
export function clientStories(scene: () => Scene): void {
  it.each(WAYS)('with socket.io-client %s by %j joins and hears Laravel', async (version, transports) => {
    const { site, there } = scene();
    const room = `way-${version}-${transports.join('-')}`;
    const client = await scene().echo('7:grace', there[0], version, transports);
    const subscription = client.join(room, '.Shipped');
    expect((await subscription.next('here')).payload).toEqual([{ id: 7, name: 'grace' }]);
    await site.publish(`presence-${room}`, 'Shipped', { order: 42 });
    expect((await subscription.next('.Shipped')).payload).toMatchObject({ order: 42 });
    const last = transports.at(-1);
    await until(() => client.socket.io.engine.transport.name === last, `it speaks by ${last}`);
  });

  it.each(['/', '/ws'])('with a plain WebSocket at %s sends and hears', async (path) => {
    const client = await scene().raw(1, 'chat:plain', path);
    expect(await client.request({ message: 'hello', name: 'raw1' })).toMatchObject({ ok: true });
    expect(await client.next('message')).toMatchObject({ data: { message: 'hello' } });
  });

  it('sees who is here on both nodes, and hears everything once', async () => {
    const { site, there } = scene();
    const [ada, bob] = await Promise.all([
      scene().echo('1:ada', there[0], 2, ['polling']),
      scene().echo('2:bob', there[1], 4, ['polling']),
    ]);
    const first = ada.join('both', '.Shipped');
    await first.next('here');
    const second = bob.join('both', '.Shipped');
    expect(namesOf((await second.next('here')).payload)).toEqual(['ada', 'bob']);
    expect((await first.next('joining')).payload).toMatchObject({ name: 'bob' });
    const plain = await scene().raw(3, 'both');
    expect(namesOf(plain.connected.users)).toEqual(['ada', 'bob', 'raw3']);
    for (const subscription of [first, second])
      expect((await subscription.next('joining')).payload).toMatchObject({ name: 'raw3' });

    await site.publish('presence-both', 'Shipped', { order: 1 });
    await site.publish('presence-both', 'Shipped', { order: 2 });
    for (const subscription of [first, second]) {
      expect((await subscription.next('.Shipped')).payload).toMatchObject({ order: 1 });
      expect((await subscription.next('.Shipped')).payload).toMatchObject({ order: 2 });
    }
    bob.close();
    expect((await first.next('leaving')).payload).toMatchObject({ name: 'bob' });
    expect(await plain.next('disconnectOther')).toMatchObject({ data: { user: { name: 'bob' } } });
    expect(first.unread()).toEqual([]);
  });

  it("is a real browser's page too, which speaks HTTP/2 with the proxy", async () => {
    const browser = await launchChromium();
    onTestFinished(() => browser.close());
    const page = await browser.newPage({ ignoreHTTPSErrors: true });
    await page.goto(`${scene().proxy.url}/`);
    const token = mintToken({ id: 5, name: 'chromium', channel: 'chat:browser' });
    const seen = await page.evaluate(`(${PAGE_SCRIPT})('${token}')`);
    expect(seen).toEqual(['h2', 200, 'connected', 'connected']);
  });

  it('shows Laravel its real address, whatever it claims itself', async () => {
    const { site, there } = scene();
    const claims = { 'X-Forwarded-For': '203.0.113.9' };
    const client = await scene().echo('7:grace', there[1], 4, ['polling'], claims);
    client.private('address');
    expect(await client.settled('private-address')).toMatchObject({ ok: true });
    const question = site.auth.questions.find(({ channel }) => channel === 'private-address');
    expect(question?.headers['x-forwarded-for']).toBe(there[1]);
  });
}

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { launchChromium } from '../browser/chromium.ts';
import { EchoClient } from '../support/echo-client.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import type { ClientVersion, Transport } from '../support/socket-io.ts';
import { until } from '../support/yamabiko.ts';
import { ask } from './support/ask.ts';
import { addressesByNode, PollingSession } from './support/polling-session.ts';
import { type ProxyKind, RunningProxy } from './support/proxy.ts';
import { Site } from './support/site.ts';

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

interface Scene {
  readonly site: Site;
  readonly proxy: RunningProxy;
  /** From `there[0]` polls reach the first node, from `there[1]` the second. */
  readonly there: readonly [string, string];
}

/**
 * What an operator may expect of a proxy with the file that we ship: one list for each.
 * @param ownStories what only this one does; its scene is there when its tests run
 */
export function proxyStories(kind: ProxyKind, ownStories: (scene: () => Scene) => void = () => {}): void {
  let site: Site;
  let proxy: RunningProxy;
  let there: Scene['there'];

  beforeAll(async () => {
    site = await Site.start();
    proxy = await RunningProxy.start(kind, site);
    there = await addressesByNode(proxy, site.nodes);
  });

  afterAll(async () => {
    await proxy?.stop();
    await site?.stop();
  });

  /** A page of a user, on a machine with that address. */
  async function echo(
    user: string,
    address: string,
    version: ClientVersion,
    transports: readonly Transport[],
  ) {
    const client = await EchoClient.open({
      url: proxy.url,
      agent: proxy.from(address),
      bearer: user,
      version,
      transports,
      name: `${user} on client ${version} by ${transports}`,
    });
    onTestFinished(() => client.close());
    return client;
  }

  async function raw(id: number, channel: string, path = '/ws') {
    const client = await RawClient.join({
      url: proxy.url,
      agent: proxy.from('127.0.0.1'),
      path,
      token: mintToken({ id, name: `raw${id}`, channel }),
    });
    onTestFinished(() => client.socket.terminate());
    return client;
  }

  describe('a client through the proxy', () => {
    it.each(WAYS)('with socket.io-client %s by %j joins and hears Laravel', async (version, transports) => {
      const room = `way-${version}-${transports.join('-')}`;
      const client = await echo('7:grace', there[0], version, transports);
      const subscription = client.join(room, '.Shipped');
      expect((await subscription.next('here')).payload).toEqual([{ id: 7, name: 'grace' }]);
      await site.publish(`presence-${room}`, 'Shipped', { order: 42 });
      expect((await subscription.next('.Shipped')).payload).toMatchObject({ order: 42 });
      const last = transports.at(-1);
      await until(() => client.socket.io.engine.transport.name === last, `it speaks by ${last}`);
    });

    it.each(['/', '/ws'])('with a plain WebSocket at %s sends and hears', async (path) => {
      const client = await raw(1, 'chat:plain', path);
      expect(await client.request({ message: 'hello', name: 'raw1' })).toMatchObject({ ok: true });
      expect(await client.next('message')).toMatchObject({ data: { message: 'hello' } });
    });

    it('sees who is here on both nodes, and hears everything once', async () => {
      const [ada, bob] = await Promise.all([
        echo('1:ada', there[0], 2, ['polling']),
        echo('2:bob', there[1], 4, ['polling']),
      ]);
      const first = ada.join('both', '.Shipped');
      await first.next('here');
      const second = bob.join('both', '.Shipped');
      expect(names((await second.next('here')).payload)).toEqual(['ada', 'bob']);
      expect((await first.next('joining')).payload).toMatchObject({ name: 'bob' });
      const plain = await raw(3, 'both');
      expect(names(plain.connected.users)).toEqual(['ada', 'bob', 'raw3']);
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
      await page.goto(`${proxy.url}/`);
      const token = mintToken({ id: 5, name: 'chromium', channel: 'chat:browser' });
      const seen = await page.evaluate(`(${PAGE_SCRIPT})('${token}')`);
      expect(seen).toEqual(['h2', 200, 'connected', 'connected']);
    });

    it('shows Laravel its real address, whatever it claims itself', async () => {
      const client = await EchoClient.open({
        url: proxy.url,
        agent: proxy.from(there[1]),
        headers: { 'X-Forwarded-For': '203.0.113.9' },
        bearer: '7:grace',
        transports: ['polling'],
      });
      onTestFinished(() => client.close());
      client.private('address');
      expect(await client.settled('private-address')).toMatchObject({ ok: true });
      const question = site.auth.questions.find(({ channel }) => channel === 'private-address');
      expect(question?.headers['x-forwarded-for']).toBe(there[1]);
    });
  });

  describe('the proxy', () => {
    it.each(['/', '/login', '/metrics', '/health/ready', '/apps/app/channels'])(
      'leaves %s to Laravel',
      async (path) => {
        const { body } = await ask(proxy.url, path, { agent: proxy.from('127.0.0.1') });
        expect(body).toBe(`Laravel's https ${path}`);
      },
    );

    it.each(['/socket.io/../metrics', '/ws/../metrics', '//metrics', '/socket.io/%2e%2e/metrics'])(
      'shows no metrics at %s',
      async (path) => {
        const { body } = await ask(proxy.url, path, { agent: proxy.from('127.0.0.1') });
        expect(body).not.toContain('yamabiko_');
      },
    );

    it('keeps the host, so that the pages of this host may connect and those of others may not', async () => {
      const path = '/socket.io/?EIO=4&transport=polling';
      const from = async (origin: string) =>
        (await ask(proxy.url, path, { agent: proxy.from('127.0.0.1'), headers: { origin } })).status;
      expect(await from('https://127.0.0.1')).toBe(200);
      expect(await from('https://127.0.0.9')).toBe(403);
    });

    it('spreads what begins as a WebSocket over both nodes, from one address', async () => {
      const before = await Promise.all(site.nodes.map((node) => node.connections()));
      for (let i = 0; i < 3; i++) {
        await raw(i + 1, 'chat:spread');
        await echo('7:grace', '127.0.0.1', 4, ['websocket']);
      }
      const after = await Promise.all(site.nodes.map((node) => node.connections()));
      for (const [i, count] of after.entries()) expect(count).toBeGreaterThan(before[i] ?? 0);
    });

    it('sends every request of a polling session to the node that has it', async () => {
      for (const address of there) {
        const agent = proxy.from(address);
        const session = await PollingSession.open(proxy, agent);
        for (let i = 0; i < 6; i++)
          expect(await session.post(agent)).toMatchObject({ status: 200, body: 'ok' });
      }
    });

    it('without stickiness sends some of them astray, and no polling client gets in', async () => {
      const spreading = await RunningProxy.start(kind, site, kind.withoutStickiness);
      onTestFinished(() => spreading.stop());
      const agent = spreading.from(there[0]);
      const session = await PollingSession.open(spreading, agent);
      const answers = [await session.post(agent), await session.post(agent)];
      const astray = answers.find(({ status }) => status !== 200);
      expect(JSON.parse(astray?.body ?? '{}')).toEqual({ code: 1, message: 'Session ID unknown' });

      const polling = { url: spreading.url, agent, transports: ['polling'], reconnection: false } as const;
      const client = new EchoClient(polling);
      onTestFinished(() => client.close());
      await expect(client.connected()).rejects.toThrow(/poll error|post error/);
    });

    it('writes no token into its log', async () => {
      const token = mintToken({ id: 1, name: 'ada', channel: 'chat:secret' });
      const client = await RawClient.join({
        url: proxy.url,
        agent: proxy.from('127.0.0.1'),
        path: '/ws',
        token,
      });
      await client.close();
      await echo('7:grace', there[0], 4, ['polling']);
      await until(
        () => /[ "]\/socket.io\//.test(proxy.log) && /[ "]\/ws\b/.test(proxy.log),
        'it logs requests',
      );
      expect(proxy.log).not.toContain(token);
    });
  });

  ownStories(() => ({ site, proxy, there }));

  it('brings everybody back when a node is drained, and uses the node again', async () => {
    const [node] = site.nodes;
    const ada = (await echo('1:ada', there[0], 2, ['polling'])).join('drained', '.Shipped');
    const bob = (await echo('2:bob', there[0], 4, ['polling', 'websocket'])).join('drained', '.Shipped');
    const eve = (await echo('3:eve', there[1], 4, ['polling'])).join('drained', '.Shipped');
    for (const subscription of [ada, bob, eve]) await subscription.next('here');
    const clients = await Promise.all([4, 5, 6].map((id) => raw(id, 'drained')));
    for (const [i, client] of clients.entries())
      void client.closed().then(async ({ code }) => {
        if (code === 1012) await comeBack(() => raw(4 + i, 'drained'));
      });
    expect(await node.connections()).toBeGreaterThanOrEqual(2);

    expect(await node.stop()).toBe(0);
    expect(node.output).toContain('stopped');
    for (const subscription of [ada, bob]) await subscription.next('here');
    await until(async () => {
      const probe = await raw(9, 'drained');
      await probe.close();
      return names(probe.connected.users).join() === 'ada,bob,eve,raw4,raw5,raw6,raw9';
    }, 'all are back');
    await site.publish('presence-drained', 'Shipped', { order: 3 });
    for (const subscription of [ada, bob, eve])
      expect((await subscription.next('.Shipped')).payload).toMatchObject({ order: 3 });

    await node.startAgain();
    await until(
      async () => {
        const session = await PollingSession.open(proxy, proxy.from(there[0]));
        return session.endAt(node);
      },
      'polls reach the node again',
      20_000,
    );
  });
}

const names = (users: readonly { readonly name: string }[]) => users.map(({ name }) => name).sort();

/** A page that opens a WebSocket anew until it is in: what `restarting` and a broken connection ask for. */
async function comeBack<T>(open: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await open();
    } catch (error) {
      if (attempt === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

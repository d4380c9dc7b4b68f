import { expect, it, onTestFinished } from 'vitest';
import { EchoClient } from '../support/echo-client.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { until } from '../support/yamabiko.ts';
import { ask } from './support/ask.ts';
import { PollingSession } from './support/polling-session.ts';
import { type ProxyKind, RunningProxy } from './support/proxy.ts';
import type { Scene } from './support/scene.ts';

/** What a proxy sends where, and what it keeps to itself. */
export function routingStories(kind: ProxyKind, scene: () => Scene): void {
  it.each(['/', '/login', '/metrics', '/health/ready', '/apps/app/channels'])(
    'leaves %s to Laravel',
    async (path) => {
      const { proxy } = scene();
      const { body } = await ask(proxy.url, path, { agent: proxy.from('127.0.0.1') });
      expect(body).toBe(`Laravel's https ${path}`);
    },
  );

  it.each(['/socket.io/../metrics', '/ws/../metrics', '//metrics', '/socket.io/%2e%2e/metrics'])(
    'shows no metrics at %s',
    async (path) => {
      const { proxy } = scene();
      const { body } = await ask(proxy.url, path, { agent: proxy.from('127.0.0.1') });
      expect(body).not.toContain('yamabiko_');
    },
  );

  it('keeps the host, so that the pages of this host may connect and those of others may not', async () => {
    const { proxy } = scene();
    const path = '/socket.io/?EIO=4&transport=polling';
    const from = async (origin: string) =>
      (await ask(proxy.url, path, { agent: proxy.from('127.0.0.1'), headers: { origin } })).status;
    expect(await from('https://127.0.0.1')).toBe(200);
    expect(await from('https://127.0.0.9')).toBe(403);
  });

  it('spreads what begins as a WebSocket over both nodes, from one address', async () => {
    const { site } = scene();
    const before = await Promise.all(site.nodes.map((node) => node.connections()));
    for (let i = 0; i < 3; i++) {
      await scene().raw(i + 1, 'chat:spread');
      await scene().echo('7:grace', '127.0.0.1', 4, ['websocket']);
    }
    const after = await Promise.all(site.nodes.map((node) => node.connections()));
    for (const [i, count] of after.entries()) expect(count).toBeGreaterThan(before[i] ?? 0);
  });

  it('sends every request of a polling session to the node that has it', async () => {
    const { proxy, there } = scene();
    for (const address of there) {
      const agent = proxy.from(address);
      const session = await PollingSession.open(proxy, agent);
      for (let i = 0; i < 6; i++)
        expect(await session.post(agent)).toMatchObject({ status: 200, body: 'ok' });
    }
  });

  it('without stickiness sends some of them astray, and no polling client gets in', async () => {
    const { site, there } = scene();
    const spreading = await RunningProxy.start(kind, site, kind.withoutStickiness);
    onTestFinished(() => spreading.stop());
    const agent = spreading.from(there[0]);
    const session = await PollingSession.open(spreading, agent);
    const answers = [await session.post(agent), await session.post(agent)];
    const astray = answers.find(({ status }) => status !== 200);
    expect(JSON.parse(astray?.body ?? '{}')).toEqual({ code: 1, message: 'Session ID unknown' });

    const client = new EchoClient({
      url: spreading.url,
      agent,
      transports: ['polling'],
      reconnection: false,
    });
    onTestFinished(() => client.close());
    await expect(client.connected()).rejects.toThrow(/poll error|post error/);
  });

  it('writes no token into its log', async () => {
    const { proxy, there } = scene();
    const token = mintToken({ id: 1, name: 'ada', channel: 'chat:secret' });
    const client = await RawClient.join({
      url: proxy.url,
      agent: proxy.from('127.0.0.1'),
      path: '/ws',
      token,
    });
    await client.close();
    await scene().echo('7:grace', there[0], 4, ['polling']);
    await until(
      () => /[ "]\/socket.io\//.test(proxy.log) && /[ "]\/ws\b/.test(proxy.log),
      'it logs both requests',
    );
    expect(proxy.log).not.toContain(token);
  });
}

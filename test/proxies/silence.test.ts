import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import type { Edits } from './support/deploy-file.ts';
import { haproxy } from './support/haproxy.ts';
import { nginx } from './support/nginx.ts';
import { type ProxyKind, RunningProxy } from './support/proxy.ts';
import { Site } from './support/site.ts';

/** Their limits shortened, for a test that need not wait a minute. Caddy has none for WebSockets. */
const IMPATIENT: readonly { kind: ProxyKind; edits: Edits }[] = [
  { kind: nginx, edits: { 'proxy_read_timeout    60s': 'proxy_read_timeout 1s' } },
  { kind: haproxy, edits: { 'timeout tunnel 60s': 'timeout tunnel 1s' } },
];

async function connect(kind: ProxyKind, site: Site, edits: Edits): Promise<RawClient> {
  const proxy = await RunningProxy.start(kind, site, edits);
  onTestFinished(() => proxy.stop());
  const token = mintToken({ id: 1, name: 'ada', channel: 'chat:quiet' });
  return RawClient.join({ url: proxy.url, agent: proxy.from('127.0.0.1'), path: '/ws', token });
}

/** Resolves when the server has pinged so many times; rejects where the connection ends before. */
function pings(client: RawClient, wanted: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let heard = 0;
    client.socket.on('ping', () => {
      heard += 1;
      if (heard === wanted) resolve();
    });
    void client.closed().then(({ code }) => reject(new Error(`closed with ${code} after ${heard} pings`)));
  });
}

describe('a WebSocket on which nobody speaks', () => {
  let lively: Site;
  let quiet: Site;

  beforeAll(async () => {
    [lively, quiet] = await Promise.all([Site.start({ YAMABIKO_PING_INTERVAL_MS: '250' }), Site.start()]);
  });
  afterAll(async () => {
    await Promise.all([lively?.stop(), quiet?.stop()]);
  });

  it.each(IMPATIENT)(
    'outlives a time limit of $kind.name that is longer than the ping interval',
    async ({ kind, edits }) => {
      const client = await connect(kind, lively, edits);
      await pings(client, 8);
      expect(await client.request({ message: 'still here', name: 'ada' })).toMatchObject({ ok: true });
    },
  );

  it.each(IMPATIENT)('is cut by one of $kind.name that is shorter', async ({ kind, edits }) => {
    const client = await connect(kind, quiet, edits);
    expect((await client.closed()).code).toBe(1006);
  });
});

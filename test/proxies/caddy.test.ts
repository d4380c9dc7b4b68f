import { expect, it, onTestFinished } from 'vitest';
import { WireClient } from '../support/wire-client.ts';
import { proxyStories } from './proxy-stories.ts';
import { caddy } from './support/caddy.ts';

proxyStories(caddy, (scene) => {
  it('closes WebSockets when it is reloaded, and they come back by themselves', async () => {
    const { site, proxy } = scene();
    const client = await WireClient.open({ url: proxy.url, agent: proxy.from('127.0.0.1') });
    onTestFinished(() => client.close());
    await proxy.reload();
    await client.next('disconnect');
    await client.connected();
    // Its frame for the nodes lacks the mask: a breach of the protocol that they must outlive.
    for (const node of site.nodes) expect((await fetch(`${node.url}/health/ready`)).status).toBe(200);
  });
});

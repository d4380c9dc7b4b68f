import { expect, it, onTestFinished } from 'vitest';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { until } from '../support/yamabiko.ts';
import { proxyStories } from './proxy-stories.ts';
import { ask } from './support/ask.ts';
import { nginx } from './support/nginx.ts';
import { PollingSession } from './support/polling-session.ts';
import { RunningProxy } from './support/proxy.ts';

proxyStories(nginx, (scene) => {
  it('takes the home page to PHP-FPM in the way that its comment says, and WebSockets past it', async () => {
    const home = `            return 418;
        }
        proxy_pass http://laravel;`;
    const proxy = await RunningProxy.start(nginx, scene().site, {
      [home]: home.replace('proxy_pass http://laravel;', 'rewrite ^ /index.php last;'),
    });
    onTestFinished(() => proxy.stop());
    const agent = proxy.from('127.0.0.1');
    expect((await ask(proxy.url, '/?page=2', { agent })).body).toBe("Laravel's https /index.php?page=2");
    const token = mintToken({ id: 1, name: 'ada', channel: 'chat:home' });
    const client = await RawClient.join({ url: proxy.url, agent, path: '/', token });
    await client.close();
  });

  it('takes newcomers to the other node while one drains', async () => {
    const { site, proxy, there } = scene();
    const [node] = site.nodes;
    // Who sleeps answers no goodbye, so that the drain waits for him.
    const token = mintToken({ id: 1, name: 'ada', channel: 'chat:asleep' });
    const asleep = await RawClient.join({ url: node.url, token });
    asleep.socket.pause();
    const stopped = node.stop();
    await until(async () => (await fetch(`${node.url}/health/ready`)).status === 503, 'it drains');
    const poll = `${node.url}/socket.io/?EIO=4&transport=polling`;
    expect((await fetch(poll)).status).toBe(503);
    const session = await PollingSession.open(proxy, proxy.from(there[0]));
    expect(await session.endAt(site.nodes[1])).toBe(true);
    asleep.cut();
    expect(await stopped).toBe(0);
    await node.startAgain();
    await until(
      async () => (await PollingSession.open(proxy, proxy.from(there[0]))).endAt(node),
      'polls reach the node again',
      20_000,
    );
  });
});

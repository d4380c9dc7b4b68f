import { expect, it, onTestFinished } from 'vitest';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { proxyStories } from './proxy-stories.ts';
import { ask } from './support/ask.ts';
import { nginx } from './support/nginx.ts';
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
});

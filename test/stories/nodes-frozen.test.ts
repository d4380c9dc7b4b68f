import { describe, expect, it, onTestFinished } from 'vitest';
import { SECRET } from '../cli/binary.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { RedisServer } from '../support/redis-server.ts';
import { ServerProcess } from '../support/server-process.ts';
import { until } from '../support/yamabiko.ts';

describe('a node that is asked while another is frozen', { timeout: 60_000 }, () => {
  it('answers in time that not all have answered, has done its own part, and answers again afterwards', async () => {
    const redis = await RedisServer.start();
    onTestFinished(() => redis.stop());
    const env = { YAMABIKO_REDIS_URL: redis.url, YAMABIKO_APPS: 'app:key', YAMABIKO_NODE_TTL_MS: '60000' };
    const [asked, frozen] = [await ServerProcess.ready(env), await ServerProcess.ready(env)];
    const ask = (path: string, method = 'GET') =>
      fetch(`${asked.url}/apps/app${path}`, { method, headers: { authorization: 'Bearer key' } });
    const token = mintToken({ id: 7, name: 'gil', channel: 'chat:f' }, { secret: SECRET });
    const [here, there] = [
      await RawClient.join({ url: asked.url, token }),
      await RawClient.join({ url: frozen.url, token }),
    ];
    expect((await ask('/nodes')).status).toBe(200);

    frozen.kill('SIGSTOP');
    for (const path of ['/channels', '/nodes']) {
      const response = await ask(path);
      expect([path, response.status, await response.json()]).toMatchObject([
        path,
        503,
        { code: 'unavailable' },
      ]);
    }
    expect((await ask('/users/7/terminate', 'POST')).status).toBe(503);
    expect(await here.closed()).toMatchObject({ code: 4409 });

    // The question waits for the frozen one, and is obeyed when it thaws.
    frozen.kill('SIGCONT');
    expect(await there.closed()).toMatchObject({ code: 4409 });
    await until(async () => (await ask('/nodes')).status === 200, 'all nodes answer', 20_000);
  });
});

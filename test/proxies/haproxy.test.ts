import { expect, it } from 'vitest';
import { proxyStories } from './proxy-stories.ts';
import { haproxy } from './support/haproxy.ts';
import { PollingSession } from './support/polling-session.ts';

proxyStories(haproxy, (scene) => {
  it('keeps a session at its node by a cookie too, though the client moves to another address', async () => {
    const { proxy, there } = scene();
    const session = await PollingSession.open(proxy, proxy.from(there[0]));
    const moved = proxy.from(there[1]);
    expect(session.cookie).toMatch(/^yamabiko_node=/);
    expect(await session.post(moved, { cookie: session.cookie })).toMatchObject({ status: 200, body: 'ok' });
    // Without the cookie it is the address that decides, and the node there does not know the session.
    expect(await session.post(moved)).toMatchObject({ status: 400 });
  });
});

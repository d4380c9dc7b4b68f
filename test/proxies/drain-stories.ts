import { expect, it } from 'vitest';
import type { EchoSubscription } from '../support/echo-subscription.ts';
import { until } from '../support/yamabiko.ts';
import { PollingSession } from './support/polling-session.ts';
import { namesOf, type Scene } from './support/scene.ts';

/** A deployment: a node goes and comes back, and its clients with it. */
export function drainStories(scene: () => Scene): void {
  it('of a new certificate, a reload, leaves nobody behind', async () => {
    const { site, proxy, there } = scene();
    const ada = (await scene().echo('1:ada', there[0], 2, ['polling'])).join('reloaded', '.Shipped');
    const bob = (await scene().echo('2:bob', there[1], 4, ['websocket'])).join('reloaded', '.Shipped');
    for (const subscription of [ada, bob]) await subscription.next('here');
    await proxy.reload();
    const eve = (await scene().echo('3:eve', there[0], 4, ['polling'])).join('reloaded', '.Shipped');
    await eve.next('here');
    for (const subscription of [ada, bob, eve])
      await hears(subscription, () => site.publish('presence-reloaded', 'Shipped', { order: 4 }));
  });

  it('brings everybody back when a node is drained, and uses the node again', async () => {
    const { site, proxy, there } = scene();
    const [node] = site.nodes;
    const join = async (...page: Parameters<Scene['echo']>) =>
      (await scene().echo(...page)).join('drained', '.Shipped');
    const ada = await join('1:ada', there[0], 2, ['polling']);
    const bob = await join('2:bob', there[0], 4, ['polling', 'websocket']);
    const eve = await join('3:eve', there[1], 4, ['polling']);
    for (const subscription of [ada, bob, eve]) await subscription.next('here');
    for (const id of [4, 5, 6]) await returning(() => scene().raw(id, 'drained'));
    expect(await node.connections()).toBeGreaterThanOrEqual(2);

    expect(await node.stop()).toBe(0);
    expect(node.output).toContain('stopped');
    // Their pages are told who is here anew; eve's node was the other one, and she has stayed.
    for (const subscription of [ada, bob]) await subscription.next('here');
    await until(async () => {
      const probe = await scene().raw(9, 'drained');
      await probe.close();
      return namesOf(probe.connected.users).join() === 'ada,bob,eve,raw4,raw5,raw6,raw9';
    }, 'all are back');
    await site.publish('presence-drained', 'Shipped', { order: 3 });
    for (const subscription of [ada, bob, eve])
      expect((await subscription.next('.Shipped')).payload).toMatchObject({ order: 3 });

    await node.startAgain();
    await until(
      async () => (await PollingSession.open(proxy, proxy.from(there[0]))).endAt(node),
      'polls reach the node again',
      20_000,
    );
  });
}

/** Publishes until it is heard: what is said while a client is away is lost for it. */
async function hears(subscription: EchoSubscription, publish: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await publish();
    try {
      await subscription.next('.Shipped', 500);
      return;
    } catch (error) {
      if (attempt === 20) throw error;
    }
  }
}

/** A page that opens its WebSocket anew when the server restarts, until it is in. */
async function returning(open: () => ReturnType<Scene['raw']>): Promise<void> {
  const client = await open();
  void client.closed().then(async ({ code }) => {
    if (code !== 1012) return;
    for (let attempt = 1; attempt < 50; attempt++) {
      try {
        await open();
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  });
}

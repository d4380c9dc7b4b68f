import { describe, expect, it, onTestFinished } from 'vitest';
import { startAuthEndpoint } from '../support/auth-endpoint.ts';
import { patience } from '../support/event-queue.ts';
import { Nodes } from '../support/nodes.ts';
import { signatureOf, WEBHOOK_SECRET, WebhookEndpoint } from '../support/webhook-endpoint.ts';
import { startYamabiko, until } from '../support/yamabiko.ts';
import { asUser, rawClient, wireClient } from './webhooks-stage.ts';

patience.ms = 20_000;
const ALL =
  'channel_occupied,channel_vacated,member_added,member_removed,client_event,message,connection_ended';

/** Where the same is told: on two nodes of one Redis, and without Redis on one. */
const PLACES = [
  {
    name: 'on two nodes of one Redis',
    async open(env: Readonly<Record<string, string>>): Promise<readonly [string, string]> {
      const nodes = await Nodes.open(2, env);
      return [nodes.url(0), nodes.url(1)];
    },
  },
  {
    name: 'in memory',
    async open(env: Readonly<Record<string, string>>): Promise<readonly [string, string]> {
      const auth = await startAuthEndpoint();
      const server = await startYamabiko({ YAMABIKO_AUTH_URL: auth.url, ...env });
      onTestFinished(async () => {
        await server.stop();
        await auth.stop();
      });
      return [server.url, server.url];
    },
  },
];

describe.each(PLACES)('Laravel is told $name', { timeout: 60_000 }, ({ open }) => {
  it('who comes to a room and goes, once for each, in order, with a signature that verifies', async () => {
    const endpoint = await WebhookEndpoint.start();
    const [first, second] = await open(endpoint.settings);
    const alice = await rawClient(first, 1, 'chat:told');
    const again = await rawClient(second, 1, 'chat:told');
    const bob = await wireClient(second);
    await bob.subscribe('presence-chat:told', asUser(2));
    await alice.request({ message: 'hello', name: 'alice' });
    await alice.close();
    await again.close();
    await endpoint.tells(7);
    bob.close();
    await endpoint.tells(9);
    expect(endpoint.lines()).toEqual([
      'channel_occupied chat:told',
      'member_added presence-chat:told 1',
      'channel_occupied presence-chat:told',
      'member_added presence-chat:told 2',
      'message chat:told 1',
      'member_removed presence-chat:told 1',
      'channel_vacated chat:told',
      'member_removed presence-chat:told 2',
      'channel_vacated presence-chat:told',
    ]);
    expect(endpoint.once[3]).toMatchObject({ room: 'chat:told', user_info: { id: 2, name: 'user2' } });
    expect(endpoint.once[4]).toMatchObject({
      user_name: 'user1',
      data: { message: 'hello', name: 'alice' },
      socket_id: expect.stringMatching(/^\d+\.\d+$/),
    });
    for (const { headers, body } of endpoint.posts) {
      expect(headers['content-type']).toBe('application/json');
      expect(headers['x-pusher-key']).toBe('yamabiko');
      expect(headers['x-pusher-signature']).toBe(signatureOf(body));
      expect(JSON.parse(body)).toMatchObject({ time_ms: expect.any(Number) });
    }
  });

  it('of channels without members, counted over all nodes', async () => {
    const endpoint = await WebhookEndpoint.start();
    const [first, second] = await open(endpoint.settings);
    const [one, other] = [await wireClient(first), await wireClient(second)];
    for (const client of [one, other]) {
      await client.subscribe('news');
      await client.subscribe('private-orders.1', asUser(1));
    }
    await endpoint.tells(2);
    await one.unsubscribe('news');
    one.close();
    await other.unsubscribe('news');
    await endpoint.tells(3);
    other.close();
    await endpoint.tells(4);
    expect(endpoint.lines('news')).toEqual(['channel_occupied news', 'channel_vacated news']);
    expect(endpoint.lines('private-orders.1')).toEqual([
      'channel_occupied private-orders.1',
      'channel_vacated private-orders.1',
    ]);
  });

  it('of whispers only if asked to, and of ends by a limit', async () => {
    const endpoint = await WebhookEndpoint.start();
    const env = { ...endpoint.settings, YAMABIKO_BAD_FRAMES: '3' };
    const [first] = await open({ ...env, YAMABIKO_WEBHOOK_EVENTS: ALL });
    const client = await wireClient(first);
    await client.subscribe('private-chat:w', asUser(1));
    await client.whisper('private-chat:w', 'client-typing', { big: [1, 2] });
    const raw = await rawClient(first, 5, 'chat:w');
    for (let i = 0; i < 3; i++) raw.sendText('no json');
    await raw.closed();
    await until(
      () => endpoint.lines().some((line) => line.startsWith('connection_ended')),
      'its end is told',
    );
    const whisper = endpoint.once.find(({ name }) => name === 'client_event');
    expect(whisper).toMatchObject({
      channel: 'private-chat:w',
      event: 'client-typing',
      data: '{"big":[1,2]}',
    });
    expect(endpoint.once.find(({ name }) => name === 'connection_ended')).toMatchObject({
      code: 'protocol_abuse',
      channels: ['chat:w'],
      user_id: '5',
      protocol: 'raw',
    });
    const quiet = await WebhookEndpoint.start();
    const [silent] = await open(quiet.settings);
    const other = await wireClient(silent);
    await other.subscribe('private-chat:w', asUser(1));
    await other.whisper('private-chat:w', 'client-typing', {});
    const fence = await rawClient(silent, 1, 'chat:w');
    await fence.request({ message: 'after', name: 'x' });
    await until(() => quiet.lines().includes('message chat:w 1'), 'what came after is told');
    expect(quiet.once.map(({ name }) => name)).not.toContain('client_event');
  });

  it('after a secret was changed, signed with both', async () => {
    const endpoint = await WebhookEndpoint.start();
    const [url] = await open({ ...endpoint.settings, YAMABIKO_WEBHOOK_SECRETS: `new-one,${WEBHOOK_SECRET}` });
    await rawClient(url, 1, 'chat:rotation');
    await endpoint.tells(2);
    const [posted] = endpoint.posts;
    if (posted === undefined) throw new Error('nothing was posted');
    const { headers, body } = posted;
    expect(headers['x-pusher-signature']).toBe(signatureOf(body, 'new-one'));
    expect(headers['x-yamabiko-signatures']).toBe(`${signatureOf(body, 'new-one')},${signatureOf(body)}`);
  });
});

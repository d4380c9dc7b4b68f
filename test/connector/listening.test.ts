import { describe, expect, it } from 'vitest';
import { atEnd, bothEchos, openEcho, recorder, startServer } from './support/echo.ts';

async function openChannel(open = openEcho, options = {}) {
  const server = await startServer();
  const echo = open({ host: server.url, token: 't', ...options });
  const channel = echo.private('orders');
  const done = recorder<void>();
  channel.subscribed(() => done.call());
  await done.inbox.next();
  const say = (event: string, data: unknown, ...position: string[]) =>
    server.say(event, 'private-orders', data, ...position);
  return { server, echo, channel, say };
}

describe.each(bothEchos)('%s: listening', (_name, open) => {
  it('hears events by class name in the namespace, or as they stand', async () => {
    const { channel, say } = await openChannel(open);
    const heard = recorder<unknown>();
    channel
      .listen('Shipped', (data) => heard.call(['Shipped', data]))
      .listen('.order.shipped', (data) => heard.call(['.order.shipped', data]))
      .listen('\\Other\\Shipped', (data) => heard.call(['\\Other\\Shipped', data]))
      .listen('Sub.Shipped', (data) => heard.call(['Sub.Shipped', data]));

    say('App\\Events\\Shipped', 1);
    say('order.shipped', 2);
    say('Other\\Shipped', 3);
    say('App\\Events\\Sub\\Shipped', 4, '17-3');
    for (const expected of [
      ['Shipped', 1],
      ['.order.shipped', 2],
      ['\\Other\\Shipped', 3],
      ['Sub.Shipped', 4],
    ]) {
      expect(await heard.inbox.next()).toEqual(expected);
    }
  });

  it('hears notifications and whispers', async () => {
    const { channel, say } = await openChannel(open);
    const heard = recorder<unknown>();
    const note = (data: unknown) => heard.call(['note', data]);
    const typing = (data: unknown) => heard.call(['typing', data]);
    channel.notification(note).listenForWhisper('typing', typing);

    say('Illuminate\\Notifications\\Events\\BroadcastNotificationCreated', { text: 'hello' });
    expect(await heard.inbox.next()).toEqual(['note', { text: 'hello' }]);
    say('client-typing', { by: 'bob' });
    expect(await heard.inbox.next()).toEqual(['typing', { by: 'bob' }]);

    channel.stopListeningForNotification(note).stopListeningForWhisper('typing', typing);
    channel.listen('.end', () => heard.call('end'));
    say('Illuminate\\Notifications\\Events\\BroadcastNotificationCreated', {});
    say('client-typing', {});
    say('end', {});
    expect(await heard.inbox.next()).toBe('end');
  });

  it('stops one listener, or all of an event', async () => {
    const { channel, say } = await openChannel(open);
    const heard = recorder<string>();
    const one = () => heard.call('one');
    channel
      .listen('.a', one)
      .listen('.a', () => heard.call('other'))
      .listen('.b', one)
      .listen('.b', () => heard.call('other b'))
      .listen('.end', () => heard.call('end'));
    channel.stopListening('.a', one).stopListening('.b');

    say('a', {});
    say('b', {});
    say('end', {});
    await heard.inbox.next((what) => what === 'end');
    expect(heard.inbox.all).toEqual(['other', 'end']);
  });

  it('hears by echo.listen(), as a shortcut of channel()', async () => {
    const { server, echo } = await openChannel(open);
    const heard = recorder<unknown>();
    echo.listen('news', '.flash', (data) => heard.call(data));
    await server.next('subscribe', 'news');
    server.say('flash', 'news', { title: 'x' });
    expect(await heard.inbox.next()).toEqual({ title: 'x' });
  });
});

describe('listenToAll', () => {
  it('hears every event by the name that listen() would take, and none of the protocol’s own', async () => {
    const { channel, say } = await openChannel();
    const heard = recorder<unknown>();
    const all = (event: string, data: unknown) => heard.call([event, data]);
    channel.listenToAll(all);
    say('subscription_gap', {});
    say('presence:joining', { user_id: 1 });
    say('App\\Events\\Shipped', 1);
    say('order.shipped', 2);
    expect(await heard.inbox.next()).toEqual(['Shipped', 1]);
    expect(await heard.inbox.next()).toEqual(['.order.shipped', 2]);

    channel.stopListeningToAll(all).listen('.end', () => heard.call('end'));
    say('end', {});
    expect(await heard.inbox.next()).toBe('end');
    expect(heard.inbox.all).toHaveLength(3);
  });

  it('names events whole where there is no namespace', async () => {
    const { channel, say } = await openChannel(openEcho, { namespace: false });
    const heard = recorder<unknown>();
    channel.listen('Shipped', () => heard.call('by name')).listenToAll((event) => heard.call(event));
    say('Shipped', {});
    expect(await heard.inbox.next()).toBe('by name');
    expect(await heard.inbox.next()).toBe('.Shipped');
  });
});

describe('onMessage', () => {
  it('hears the room’s messages, and no Laravel event that is merely named message', async () => {
    const { channel, say } = await openChannel();
    const heard = recorder<unknown>();
    channel.onMessage(({ sender, data }) => heard.call([sender, data]));
    say('message', { text: 'a Laravel event' });
    say('message', { sender: { id: 0, name: 'system' }, data: { message: 'hello' } }, '17-4');
    expect(await heard.inbox.next()).toEqual([{ id: 0, name: 'system' }, { message: 'hello' }]);
    expect(heard.inbox.all).toHaveLength(1);

    channel.stopOnMessage().listen('.message', () => heard.call('raw'));
    say('message', { sender: { id: 1, name: 'a' }, data: {} });
    expect(await heard.inbox.next()).toBe('raw');
  });
});

describe('a callback that throws', () => {
  it('keeps no other callback from its event, and is reported all the same', async () => {
    const { channel, say } = await openChannel();
    const thrown = recorder<unknown>();
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', thrown.call);
    atEnd(() => {
      process.removeAllListeners('uncaughtException');
      for (const other of others) process.on('uncaughtException', other);
    });
    const heard = recorder<string>();
    channel
      .listen('.a', () => {
        throw new Error('the page’s mistake');
      })
      .listen('.a', () => heard.call('second'));
    say('a', {});
    expect(await heard.inbox.next()).toBe('second');
    expect(await thrown.inbox.next()).toEqual(new Error('the page’s mistake'));
  });
});

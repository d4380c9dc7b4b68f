import { describe, expect, it } from 'vitest';
import { atEnd, bothEchos, openEcho, recorder, startServer } from './support/echo.ts';

describe.each(bothEchos)('%s with the connector', (_name, open) => {
  it('subscribes a channel with its token, and private and presence with the same one', async () => {
    const server = await startServer();
    const asked: string[] = [];
    const token = (channel: string) => {
      asked.push(channel);
      return `token of ${channel}`;
    };
    const echo = open({ host: server.url, token });
    echo.channel('chat:room1');
    echo.private('chat:room1');
    echo.join('chat:room1');

    for (const wireName of ['chat:room1', 'private-chat:room1', 'presence-chat:room1']) {
      const { body } = await server.next('subscribe', wireName);
      expect(body).toEqual({ channel: wireName, auth: { token: 'token of chat:room1' } });
    }
    expect(asked).toEqual(['chat:room1']);
  });

  it('takes a token as a string, as a map, and as a promise', async () => {
    const server = await startServer();
    open({ host: server.url, token: 'one for all' }).channel('a');
    expect((await server.next('subscribe', 'a')).token).toBe('one for all');

    open({ host: server.url, token: { b: 'of b' } }).channel('b');
    expect((await server.next('subscribe', 'b')).token).toBe('of b');

    open({ host: server.url, token: async (channel) => `later ${channel}` }).channel('c');
    expect((await server.next('subscribe', 'c')).token).toBe('later c');
  });

  it('makes a channel public where the source has no token, and lets Laravel decide on the others', async () => {
    const server = await startServer();
    const echo = open({
      host: server.url,
      token: { secret: 'of secret' },
      bearerToken: 'sanctum',
      csrfToken: 'csrf',
      auth: { headers: { 'X-Tenant': '7' } },
    });
    echo.channel('news');
    echo.private('orders.1');
    echo.channel('secret');

    expect((await server.next('subscribe', 'news')).body).toEqual({ channel: 'news', auth: {} });
    expect((await server.next('subscribe', 'private-orders.1')).body).toEqual({
      channel: 'private-orders.1',
      auth: { headers: { 'X-Tenant': '7', 'X-CSRF-TOKEN': 'csrf', Authorization: 'Bearer sanctum' } },
    });
    expect((await server.next('subscribe', 'secret')).token).toBe('of secret');
  });

  it('tells of the success, also whoever asks later', async () => {
    const server = await startServer();
    const channel = open({ host: server.url, token: 't' }).channel('a');
    const first = recorder<string>();
    channel.subscribed(() => first.call('yes'));
    await first.inbox.next();

    const second = recorder<string>();
    channel.subscribed(() => second.call('yes'));
    await second.inbox.next();
    expect(first.inbox.all).toEqual(['yes']);
  });

  it('subscribes everything again after a cut, with the tokens it has', async () => {
    const server = await startServer();
    const asked = recorder<string>();
    const token = (channel: string) => {
      asked.call(channel);
      return channel;
    };
    const echo = open({ host: server.url, token });
    const again = recorder<string>();
    echo.channel('a').subscribed(() => again.call('a'));
    echo.join('b').subscribed(() => again.call('b'));
    await again.inbox.next((name) => name === 'a');
    await again.inbox.next((name) => name === 'b');

    server.cut();

    await again.inbox.next((name) => name === 'a');
    await again.inbox.next((name) => name === 'b');
    expect(asked.inbox.all).toEqual(['a', 'b']);
    expect(server.count('subscribe')).toBe(4);
  });

  it('leaves a channel in all its kinds, and one by its wire name', async () => {
    const server = await startServer();
    const echo = open({ host: server.url, token: 't' });
    for (const channel of [
      echo.channel('a'),
      echo.private('a'),
      echo.join('a'),
      echo.private('b'),
      echo.join('c'),
    ]) {
      const done = recorder<void>();
      channel.subscribed(() => done.call());
      await done.inbox.next();
    }

    echo.leave('a');
    for (const wireName of ['a', 'private-a', 'presence-a']) await server.next('unsubscribe', wireName);
    expect(Object.keys(echo.connector.channels)).toEqual(['private-b', 'presence-c']);

    echo.leaveChannel('private-b');
    await server.next('unsubscribe', 'private-b');
    echo.leaveAllChannels();
    await server.next('unsubscribe', 'presence-c');
    expect(Object.keys(echo.connector.channels)).toEqual([]);
  });

  it('gives the socket id that Laravel needs for toOthers, and registers Echo’s interceptors', async () => {
    const server = await startServer();
    const interceptors: Array<(config: { headers: Record<string, string> }) => { headers: object }> = [];
    const axios = Object.assign(() => {}, {
      interceptors: { request: { use: (one: (typeof interceptors)[0]) => interceptors.push(one) } },
    });
    (globalThis as { axios?: unknown }).axios = axios;
    atEnd(() => {
      delete (globalThis as { axios?: unknown }).axios;
    });
    const echo = open({ host: server.url, token: 't' });
    echo.channel('a');
    const { socket } = await server.next('subscribe');

    expect(echo.socketId()).toBe(socket.id);
    expect(interceptors[0]?.({ headers: {} }).headers).toEqual({ 'X-Socket-Id': socket.id });
  });

  it('tells who is here, who comes and who goes, and the list again after a reconnect', async () => {
    const server = await startServer();
    const alice = { user_id: 1, user_info: { id: 1, name: 'alice' }, socketId: 'x' };
    const bob = { user_id: '2', user_info: { id: 2, name: 'bob' }, socketId: 'y' };
    server.answer = (command) => {
      if (command.event !== 'subscribe') return { ok: true };
      command.socket.emit('presence:subscribed', command.channel, [alice]);
      command.socket.emit('subscription_succeeded', command.channel, {});
      return { ok: true, channel: command.channel };
    };
    const echo = open({ host: server.url, token: 't' });
    for (const channel of [echo.channel('room'), echo.join('room')]) {
      const told = recorder<unknown>();
      channel
        .here((users) => told.call(['here', users]))
        .joining((user) => told.call(['joining', user]))
        .leaving((user) => told.call(['leaving', user]));
      expect(await told.inbox.next()).toEqual(['here', [alice.user_info]]);

      server.say('presence:joining', channel.name, bob);
      expect(await told.inbox.next()).toEqual(['joining', bob.user_info]);
      const late = recorder<unknown>();
      channel.here((users) => late.call(users));
      expect(await late.inbox.next()).toEqual([alice.user_info, bob.user_info]);

      server.say('presence:leaving', channel.name, bob);
      expect(await told.inbox.next()).toEqual(['leaving', bob.user_info]);

      server.cut();
      expect(await told.inbox.next()).toEqual(['here', [alice.user_info]]);
    }
  });
});

describe('the connector', () => {
  it('keeps two instances apart: the bearer token of one is not in the other’s headers', async () => {
    const server = await startServer();
    openEcho({ host: server.url, token: () => null, bearerToken: 'of alice' }).private('a');
    await server.next('subscribe', 'private-a');
    openEcho({ host: server.url, token: () => null }).private('b');

    expect((await server.next('subscribe', 'private-b')).body.auth).toEqual({ headers: {} });
  });

  it('leaves an encrypted channel to Laravel: no token opens it', async () => {
    const server = await startServer();
    openEcho({ host: server.url, token: 'a token' }).private('encrypted-vault');
    expect((await server.next('subscribe', 'private-encrypted-vault')).body.auth).toEqual({ headers: {} });
  });

  it('does not hand its tokens to socket.io-client', async () => {
    const server = await startServer();
    const echo = openEcho({
      host: server.url,
      token: 'secret token',
      bearerToken: 'secret bearer',
      auth: { headers: { 'X-Key': 'secret' } },
    });
    echo.channel('a');
    const { socket } = await server.next('subscribe');
    expect(JSON.stringify(socket.handshake)).not.toContain('secret');
    const { opts } = echo.connector.socket.io;
    expect(Object.values(opts).filter((value) => JSON.stringify(value)?.includes('secret'))).toEqual([]);
    expect(opts.reconnectionDelay).toBe(20);
  });

  it('is not disturbed by a channel with the name of a property of objects', async () => {
    const server = await startServer();
    const echo = openEcho({ host: server.url, token: {} });
    for (const name of ['__proto__', 'constructor', 'toString']) {
      echo.channel(name);
      expect((await server.next('subscribe', name)).body.auth).toEqual({});
    }
  });
});

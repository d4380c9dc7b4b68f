import { describe, expect, it, vi } from 'vitest';
import { atEnd, openEcho, recorder, startServer } from './support/echo.ts';
import { type Command, no, yes } from './support/scripted-server.ts';

/** A source whose every token is a new one: t1, t2, ... */
function counting(): () => string {
  let count = 0;
  return () => `t${++count}`;
}

describe('renewal', () => {
  it('brings a new token before the old one ends, and nobody notices', async () => {
    const server = await startServer();
    server.answer = (command) => yes(command, command.token === 't3' ? 3600 : 1.6);
    const told = recorder<string>();
    openEcho({ host: server.url, token: counting() })
      .join('a')
      .subscribed(() => told.call('subscribed'))
      .error(() => told.call('error'));

    const tokens = [
      await server.next('subscribe'),
      await server.next('subscribe'),
      await server.next('subscribe'),
    ];
    expect(tokens.map((one) => one.token)).toEqual(['t1', 't2', 't3']);
    expect(server.count('unsubscribe')).toBe(0);
    expect(told.inbox.all).toEqual(['subscribed']);
  });

  it('does not tell again who is here, unless the list has changed', async () => {
    const server = await startServer();
    const lists = [[1, 2], [2, 1], [1], [1]];
    server.answer = (command) => {
      const users = lists.shift() ?? [];
      const members = users.map((id) => ({ user_id: id, user_info: id }));
      const answer = yes(command, lists.length > 0 ? 1 : 3600);
      // The list may come on either side of the answer.
      if (lists.length % 2 === 0) command.acknowledge?.(answer);
      command.socket.emit('presence:subscribed', command.channel, members);
      return answer;
    };
    const told = recorder<unknown>();
    openEcho({ host: server.url, token: counting() }).join('a').here(told.call);
    for (let times = 0; times < 4; times++) await server.next('subscribe');
    server.say('presence:subscribed', 'presence-a', [{ user_id: 9, user_info: 'end' }]);
    await told.inbox.next((users) => String(users) === 'end');
    expect(told.inbox.all).toEqual([[1, 2], [1], ['end']]);
  });

  it('does not happen where the token has no end, or is one for ever', async () => {
    const server = await startServer();
    server.answer = (command) => yes(command, command.channel === 'fixed' ? 0.1 : undefined);
    openEcho({ host: server.url, token: 'for ever' }).channel('fixed');
    openEcho({ host: server.url, token: counting() }).channel('endless');
    await server.next('subscribe', 'fixed');
    await server.next('subscribe', 'endless');

    server.answer = (command) => yes(command, 1);
    openEcho({ host: server.url, token: counting() }).channel('renewed');
    await server.next('subscribe', 'renewed');
    await server.next('subscribe', 'renewed');
    await server.next('subscribe', 'renewed');
    expect([server.count('subscribe', 'fixed'), server.count('subscribe', 'endless')]).toEqual([1, 1]);
  });

  it('that fails is told and tried again, while the old membership lasts', async () => {
    const server = await startServer();
    server.answer = (command) => yes(command, command.token === 'second' ? 3600 : 1);
    const answers: Array<() => string> = [
      () => 'first',
      () => {
        throw new Error('away');
      },
      () => 'second',
    ];
    const refused = recorder<{ message: string }>();
    const channel = openEcho({ host: server.url, token: () => (answers.shift() as () => string)() })
      .channel('a')
      .error(refused.call);
    expect((await refused.inbox.next()).message).toBe('away');
    await channel.send({ message: 'still a member' });
    await server.next('subscribe');
    expect((await server.next('subscribe')).token).toBe('second');
  });

  const answerFirst = (command: Command, status: number) => {
    command.acknowledge?.({ ok: false, code: 'forbidden', status, message: 'another user' });
    command.socket.emit('subscription_error', command.channel, status);
    return undefined;
  };
  const eventFirst = (command: Command, status: number) => no(command, 'forbidden', status);

  it.each([
    ['the answer', answerFirst],
    ['the event', eventFirst],
  ])('that is refused does not end the membership (%s comes first)', async (_name, refuse) => {
    const server = await startServer();
    server.answer = (command) => {
      if (command.event !== 'subscribe' || command.token === 't1') return yes(command, 1);
      return refuse(command, 403);
    };
    const told = recorder<string>();
    const channel = openEcho({ host: server.url, token: counting() })
      .channel('a')
      .subscribed(() => told.call('subscribed'))
      .error(({ code }) => told.call(code))
      .listen('.end', () => told.call('end'));
    await told.inbox.next((what) => what === 'forbidden');
    await channel.send({});
    server.say('end', 'a', {});
    await told.inbox.next((what) => what === 'end');
    expect(told.inbox.all).toEqual(['subscribed', 'forbidden', 'end']);
    expect(server.count('subscribe')).toBe(2);
  });
});

describe('a membership that the server ends', () => {
  it('with 401 is entered anew at once with a new token, without a word to error()', async () => {
    const server = await startServer();
    const told = recorder<string>();
    openEcho({ host: server.url, token: counting(), retryDelayMs: 100_000, retryDelayMaxMs: 100_000 })
      .channel('a')
      .subscribed(() => told.call('subscribed'))
      .error(() => told.call('error'));
    await told.inbox.next();
    server.say('subscription_error', 'a', 401);
    await told.inbox.next();
    expect(told.inbox.all).toEqual(['subscribed', 'subscribed']);
    expect(server.commands.all.map((one) => one.token)).toEqual(['t1', 't2']);
  });

  it('with 401 again and again is not entered without a pause', async () => {
    const server = await startServer();
    server.answer = (command) => {
      setImmediate(() => command.socket.emit('subscription_error', command.channel, 401));
      return yes(command);
    };
    const refused = recorder<unknown>();
    openEcho({ host: server.url, token: counting(), retryDelayMs: 100_000, retryDelayMaxMs: 100_000 })
      .channel('a')
      .error(refused.call);
    expect(await refused.inbox.next()).toMatchObject({ code: 'token_expired', status: 401 });
    expect(server.count('subscribe')).toBe(2);
  });

  it('with 403 is over for good', async () => {
    const server = await startServer();
    const refused = recorder<unknown>();
    const channel = openEcho({ host: server.url, token: counting() }).channel('a').error(refused.call);
    await channel.send({});
    server.say('subscription_error', 'a', 403);
    expect(await refused.inbox.next()).toMatchObject({ code: 'ended', status: 403 });
    await expect(channel.send({})).rejects.toMatchObject({ code: 'ended' });
    expect(server.count('subscribe')).toBe(1);
  });

  it('while its renewal is on the way and then refused is tried again', async () => {
    const server = await startServer();
    server.answer = (command) => {
      if (command.token !== 't2' || server.count('subscribe') > 1) return yes(command, 1);
      command.socket.emit('subscription_error', command.channel, 401);
      return no(command, 'unavailable', 503);
    };
    const told = recorder<string>();
    openEcho({ host: server.url, token: counting() })
      .channel('a')
      .subscribed(() => told.call('subscribed'))
      .error(({ code }) => told.call(code));
    expect(await told.inbox.next()).toBe('subscribed');
    expect(await told.inbox.next()).toBe('unavailable');
    expect(await told.inbox.next()).toBe('subscribed');
  });
});

describe('a reconnect', () => {
  it('replaces a token that is due, as after a sleep of the page', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    atEnd(() => vi.useRealTimers());
    const server = await startServer();
    server.answer = (command) => yes(command, 3600);
    const channel = openEcho({ host: server.url, token: counting() }).channel('a');
    const done = recorder<void>();
    channel.subscribed(() => done.call());
    for (const [hours, token] of [
      [0, 't1'],
      [0.5, 't1'],
      [8, 't2'],
    ] as const) {
      vi.setSystemTime(Date.now() + hours * 3_600_000);
      server.cut();
      expect((await server.next('subscribe')).token).toBe(token);
      await done.inbox.next();
    }
  });
});

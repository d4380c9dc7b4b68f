import { describe, expect, it } from 'vitest';
import { openEcho, recorder, startServer } from './support/echo.ts';
import { no, yes } from './support/scripted-server.ts';

describe('a channel that was left', () => {
  it('is not subscribed by a token that arrives afterwards', async () => {
    const server = await startServer();
    const tokens = new Map<string, (token: string) => void>();
    const token = (channel: string) => new Promise<string>((resolve) => tokens.set(channel, resolve));
    const echo = openEcho({ host: server.url, token });
    const told = recorder<string>();
    echo
      .channel('left')
      .subscribed(() => told.call('subscribed'))
      .error(() => told.call('error'));
    echo.channel('kept');
    echo.leave('left');
    tokens.get('left')?.('late');
    tokens.get('kept')?.('good');
    await server.next('subscribe', 'kept');
    await echo.connector.channel('kept').send({});
    expect(server.commands.all.map((one) => one.channel)).toEqual(['kept', 'kept']);
    expect(told.inbox.all).toEqual([]);
  });

  it('is not told of a token source that fails afterwards', async () => {
    const server = await startServer();
    let fail: (error: Error) => void = () => {};
    const token = (channel: string) =>
      channel === 'left' ? new Promise<string>((_, reject) => (fail = reject)) : 'good';
    const echo = openEcho({ host: server.url, token });
    const refused = recorder<unknown>();
    echo.channel('left').error(refused.call);
    echo.leave('left');
    fail(new Error('too late'));
    await echo.channel('kept').send({});
    expect(refused.inbox.all).toEqual([]);
  });

  it('leaves none of its events to the one that is joined after it', async () => {
    const server = await startServer();
    const tokens: Array<string | Promise<string>> = ['first', new Promise<string>(() => {})];
    const echo = openEcho({
      host: server.url,
      token: (name) => (name === 'a' ? (tokens.shift() ?? '') : 'good'),
    });
    await echo.join('a').send({});
    echo.leave('a');
    const told = recorder<unknown>();
    echo.join('a').listen('.event', told.call).here(told.call);
    server.say('event', 'presence-a', 'of the old membership');
    server.say('presence:subscribed', 'presence-a', []);
    await echo.channel('b').send({});
    expect(told.inbox.all).toEqual([]);
  });

  it('hears nothing more, not even the answer that was on the way', async () => {
    const server = await startServer();
    server.answer = (command) => (command.event === 'subscribe' ? undefined : yes(command));
    const echo = openEcho({ host: server.url, token: 't' });
    const told = recorder<string>();
    echo
      .join('a')
      .subscribed(() => told.call('subscribed'))
      .error(() => told.call('error'))
      .here(() => told.call('here'))
      .listen('.event', () => told.call('event'));
    const { acknowledge } = await server.next('subscribe');
    echo.leave('a');
    server.say('presence:subscribed', 'presence-a', []);
    server.say('event', 'presence-a', {});
    acknowledge?.({ ok: true, channel: 'presence-a' });
    await server.next('unsubscribe');
    server.answer = yes;
    await echo.channel('b').send({});
    expect(told.inbox.all).toEqual([]);
  });

  it('is not tried again, and its token is not renewed', async () => {
    const server = await startServer();
    server.answer = (command) =>
      command.channel === 'failing' ? no(command, 'unavailable', 503) : yes(command, 1);
    const echo = openEcho({ host: server.url, token: () => 't' });
    const refused = recorder<unknown>();
    echo.channel('failing').error(refused.call);
    await refused.inbox.next();
    await echo.channel('renewing').send({});
    echo.leave('failing');
    echo.leave('renewing');
    const [failing, renewing] = [server.count('subscribe', 'failing'), server.count('subscribe', 'renewing')];

    echo.channel('witness');
    for (let renewals = 0; renewals < 3; renewals++) await server.next('subscribe', 'witness');
    expect(server.count('subscribe', 'failing')).toBe(failing);
    expect(server.count('subscribe', 'renewing')).toBe(renewing);
  });

  it('may be joined again in the same breath, as React does it', async () => {
    const server = await startServer();
    const echo = openEcho({ host: server.url, token: 't' });
    const told = recorder<string>();
    const join = (name: string) =>
      echo
        .join('a')
        .subscribed(() => told.call(`${name} subscribed`))
        .listen('.event', () => told.call(`${name} heard`));
    join('first');
    echo.leaveChannel('presence-a');
    join('second');
    expect(await told.inbox.next()).toBe('second subscribed');
    expect(server.commands.all.map((one) => one.event)).toEqual(['subscribe']);

    echo.leaveChannel('presence-a');
    join('third');
    expect(await told.inbox.next()).toBe('third subscribed');
    server.say('event', 'presence-a', {});
    expect(await told.inbox.next()).toBe('third heard');
    expect(server.commands.all.map((one) => one.event)).toEqual(['subscribe', 'unsubscribe', 'subscribe']);
  });

  it('asks for a token of its own when joined again: the user may be another', async () => {
    const server = await startServer();
    const users = ['alice', 'bob'];
    const pending: Array<(token: string) => void> = [];
    const token = () => new Promise<string>((resolve) => pending.push(resolve));
    const echo = openEcho({ host: server.url, token });
    echo.channel('a');
    echo.leave('a');
    echo.channel('a');
    for (const [index, resolve] of pending.entries()) resolve(users[index] as string);
    expect((await server.next('subscribe')).token).toBe('bob');
  });

  it('leaves nothing to do when the connection is closed', async () => {
    const server = await startServer();
    server.answer = (command) => yes(command, 1);
    const echo = openEcho({ host: server.url, token: () => 't' });
    await echo.channel('a').send({});
    echo.disconnect();
    echo.leave('a');
    expect(server.count('unsubscribe')).toBe(0);
  });
});

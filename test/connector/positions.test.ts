import { describe, expect, it } from 'vitest';
import { openEcho, recorder, startServer, watchStatus } from './support/echo.ts';
import type { ScriptedServer } from './support/scripted-server.ts';
import { type Command, no, yes } from './support/scripted-server.ts';

/** Answers as a server with a history does: the event with the position first, then the answer. */
function givePositions(
  server: ScriptedServer,
  info: (command: Command) => object = () => ({}),
  start = '1000-1',
) {
  server.answer = (command) => {
    if (command.event === 'subscribe') {
      command.socket.emit('subscription_succeeded', command.channel, info(command), start);
    }
    return yes(command);
  };
}

const sinceOf = ({ body }: Command) => ('since' in body ? body.since : 'nothing');

describe('the position of a channel', () => {
  it('is sent after a cut, for each channel as far as any event has brought it', async () => {
    const server = await startServer();
    givePositions(server);
    const echo = openEcho({ host: server.url, token: 't' });
    const heard = recorder<unknown>();
    echo.channel('a').listen('.e', heard.call);
    expect(sinceOf(await server.next('subscribe', 'a'))).toBe('nothing');
    await echo.channel('a').send({});
    await echo.channel('b').send({});
    expect(sinceOf(await server.next('subscribe', 'b'))).toBe(null);
    server.say('e', 'a', 1, '1000-5');
    await heard.inbox.next();
    server.cut();
    expect(sinceOf(await server.next('subscribe', 'a'))).toBe('1000-5');
    expect(sinceOf(await server.next('subscribe', 'b'))).toBe('1000-5');
  });

  it('stays where it is while the channel waits for its token, whatever the others hear', async () => {
    const server = await startServer();
    givePositions(server);
    let askAgain: (token: string) => void = () => {};
    const tokens: Array<string | Promise<string>> = [
      'first',
      new Promise<string>((resolve) => (askAgain = resolve)),
    ];
    const echo = openEcho({
      host: server.url,
      token: (name) => (name === 'late' ? (tokens.shift() ?? '') : 't'),
    });
    const heard = recorder<unknown>();
    await echo.channel('late').send({});
    await echo.channel('early').listen('.e', heard.call).send({});
    await server.next('subscribe', 'late');
    await server.next('subscribe', 'early');
    server.answer = (command) =>
      command.token === 'first' ? no(command, 'token_expired', 401) : yes(command);
    server.cut();
    await server.next('subscribe', 'late');
    await server.next('subscribe', 'early');
    server.say('e', 'early', 1, '1000-9');
    await heard.inbox.next();
    askAgain('second');
    expect(sinceOf(await server.next('subscribe', 'late'))).toBe('1000-1');
  });

  it('does not go back for the others by what one of them is replayed', async () => {
    const server = await startServer();
    givePositions(server, () => ({}), '1000-50');
    const echo = openEcho({ host: server.url, token: 't' });
    const heard = recorder<unknown>();
    await echo.channel('a').send({});
    await echo.channel('b').listen('.e', heard.call).send({});
    await server.next('subscribe', 'a');
    await server.next('subscribe', 'b');
    server.say('e', 'b', 1, '1000-9');
    await heard.inbox.next();
    server.cut();
    expect(sinceOf(await server.next('subscribe', 'a'))).toBe('1000-50');
    expect(sinceOf(await server.next('subscribe', 'b'))).toBe('1000-9');
  });

  it('is not sent to a server that has never given one', async () => {
    const server = await startServer();
    const echo = openEcho({ host: server.url, token: 't' });
    const recovered = recorder<unknown>();
    const heard = recorder<unknown>();
    echo.channel('a').recovered(recovered.call).listen('.e', heard.call);
    await echo.channel('a').send({});
    await server.next('subscribe', 'a');
    server.say('subscription_succeeded', 'a', {});
    server.say('e', 'a', 'no third argument');
    server.say('e', 'a', 1, 'no position');
    await heard.inbox.next();
    await heard.inbox.next();
    server.cut();
    expect(sinceOf(await server.next('subscribe', 'a'))).toBe('nothing');
    expect(recovered.inbox.all).toEqual([]);
  });

  it('is not sent with a renewal', async () => {
    const server = await startServer();
    server.answer = (command) => {
      command.socket.emit('subscription_succeeded', command.channel, {}, '1000-1');
      return yes(command, 1);
    };
    openEcho({ host: server.url, token: () => 't' }).channel('a');
    await server.next('subscribe');
    expect(sinceOf(await server.next('subscribe'))).toBe('nothing');
  });

  it('is forgotten when the channel is left', async () => {
    const server = await startServer();
    givePositions(server);
    const echo = openEcho({ host: server.url, token: 't' });
    await echo.channel('a').send({});
    await server.next('subscribe', 'a');
    echo.leave('a');
    // The turn in which it was left is over.
    await new Promise((resolve) => setTimeout(resolve, 0));
    await server.next('unsubscribe', 'a');
    echo.channel('a');
    expect(sinceOf(await server.next('subscribe', 'a'))).toBe(null);
  });

  it('goes on where the channel is left and joined in one turn, and what is on the way comes once', async () => {
    const server = await startServer();
    givePositions(server, () => ({ recovered: true, replayed: 1 }));
    const echo = openEcho({ host: server.url, token: 't' });
    await echo.channel('a').send({});
    await server.next('subscribe', 'a');
    const givePlainly = server.answer;
    server.answer = (command) => {
      if (command.event === 'unsubscribe') command.socket.emit('e', 'a', 'on the way', '1000-2');
      if (command.event === 'subscribe') command.socket.emit('e', 'a', 'on the way', '1000-2');
      return givePlainly(command);
    };
    const heard = recorder<unknown>();
    echo.leave('a');
    await echo.channel('a').listen('.e', heard.call).recovered(heard.call).send({});
    expect(sinceOf(await server.next('subscribe', 'a'))).toBe('1000-1');
    expect(heard.inbox.all).toEqual(['on the way', { recovered: true, replayed: 1 }]);
  });

  it('leaves what socket.io-client itself sends as it is', async () => {
    const server = await startServer();
    givePositions(server);
    const echo = openEcho({ host: server.url, token: 't' });
    await echo.channel('a').send({});
    await server.next('subscribe', 'a');
    // As the server sets it for socket.io-client's own recovery.
    (echo.connector.socket as unknown as { _pid: string })._pid = 'ids';
    const heard = recorder<unknown>();
    echo.channel('a').listen('.e', heard.call);
    server.say('e', 'a', 1, '1000-2');
    await heard.inbox.next();
    const statuses = watchStatus(echo);
    server.cut();
    await statuses.next((status) => status === 'connected');
    const { socket } = await server.next('subscribe', 'a');
    expect(socket.handshake.auth).toEqual({ pid: 'ids', offset: '1000-2' });
  });
});

describe('a subscription that went on', () => {
  it('tells recovered() each time, before subscribed(), and gaps with their place', async () => {
    const server = await startServer();
    server.answer = (command) => {
      if (command.event !== 'subscribe') return yes(command);
      const resumed = sinceOf(command) !== 'nothing';
      if (resumed) command.socket.emit('subscription_gap', 'a', { reason: 'trimmed' }, '1000-3');
      const info = resumed ? { recovered: false, replayed: 4 } : {};
      command.socket.emit('subscription_succeeded', 'a', info, '1000-7');
      return yes(command);
    };
    const told = recorder<unknown>();
    openEcho({ host: server.url, token: 't' })
      .channel('a')
      .onGap(told.call)
      .recovered(told.call)
      .subscribed(() => told.call('subscribed'));
    await told.inbox.next();
    server.cut();
    await told.inbox.next((one) => one === 'subscribed');
    expect(told.inbox.all).toEqual([
      'subscribed',
      { reason: 'trimmed', position: '1000-3' },
      { recovered: false, replayed: 4 },
      'subscribed',
    ]);
  });
});

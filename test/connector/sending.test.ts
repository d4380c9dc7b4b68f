import { describe, expect, it } from 'vitest';
import { YamabikoError } from '../../echo-connector/src/index.ts';
import { openEcho, recorder, startServer } from './support/echo.ts';
import { no, yes } from './support/scripted-server.ts';

/** What a promise is rejected with; fails if it is not. */
async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable('it was not rejected'),
    (error: unknown) => error,
  );
}

describe('send', () => {
  it('waits for the subscription and resolves when the server has taken the message', async () => {
    const server = await startServer();
    const channel = openEcho({ host: server.url, token: 't' }).channel('chat:1');
    const both = Promise.all([channel.send({ message: 'one' }), channel.send({ message: 'two' })]);

    expect((await server.next('send')).body).toEqual({ channel: 'chat:1', data: { message: 'one' } });
    expect((await server.next('send')).body).toEqual({ channel: 'chat:1', data: { message: 'two' } });
    await both;
    expect(server.commands.all[0]?.event).toBe('subscribe');
  });

  it('rejects with the server’s code and its status', async () => {
    const server = await startServer();
    server.answer = (command) =>
      command.event === 'send'
        ? {
            type: 'sended',
            ok: false,
            error: { code: 'invalid_data', message: 'data.message must be a string' },
          }
        : yes(command);
    const channel = openEcho({ host: server.url, token: 't' }).private('chat:1');
    const error = await rejection(channel.send({ message: 5 }));
    expect(error).toBeInstanceOf(YamabikoError);
    expect(error).toMatchObject({
      code: 'invalid_data',
      status: 422,
      message: 'data.message must be a string',
    });
  });

  it('rejects a code that a newer server invented, as the known one that is nearest', async () => {
    const server = await startServer();
    server.answer = (command) =>
      command.event === 'send'
        ? { ok: false, error: { code: 'new_code', status: 429, message: 'x' } }
        : yes(command);
    const channel = openEcho({ host: server.url, token: 't' }).channel('a');
    expect(await rejection(channel.send({}))).toMatchObject({ code: 'rate_limited', status: 429 });
  });

  it('rejects with the channel’s own refusal where that is final', async () => {
    const server = await startServer();
    server.answer = (command) => no(command, 'forbidden', 403);
    const channel = openEcho({ host: server.url, token: 't' }).channel('a');
    expect(await rejection(channel.send({}))).toMatchObject({ code: 'forbidden', status: 403 });
    expect(await rejection(channel.send({}))).toMatchObject({ code: 'forbidden', status: 403 });
  });

  it('never sends twice: a cut before the answer leaves the outcome unknown', async () => {
    const server = await startServer();
    server.answer = (command) => (command.event === 'send' ? undefined : yes(command));
    const channel = openEcho({ host: server.url, token: 't' }).channel('a');
    const sent = rejection(channel.send({ message: 'once' }));
    await server.next('send');
    server.cut();
    expect(await sent).toMatchObject({ code: 'unavailable', status: 503 });

    await server.next('subscribe');
    await server.next('subscribe');
    server.answer = yes;
    await channel.send({ message: 'next' });
    expect(server.commands.all.filter((one) => one.event === 'send').map((one) => one.body.data)).toEqual([
      { message: 'once' },
      { message: 'next' },
    ]);
  });

  it('gives up when no answer comes', async () => {
    const server = await startServer();
    server.answer = (command) => (command.event === 'send' ? undefined : yes(command));
    const channel = openEcho({ host: server.url, token: 't', answerTimeoutMs: 40 }).channel('a');
    expect(await rejection(channel.send({}))).toMatchObject({ code: 'unavailable' });
  });

  it('gives up when the channel is not subscribed in time', async () => {
    const server = await startServer();
    const token = () => new Promise<string>(() => {});
    const channel = openEcho({ host: server.url, token, answerTimeoutMs: 40 }).channel('a');
    expect(await rejection(channel.send({}))).toMatchObject({ code: 'unavailable', status: 503 });
  });

  it('gives up when the channel is left, or the connection is closed', async () => {
    const server = await startServer();
    const echo = openEcho({ host: server.url, token: () => new Promise<string>(() => {}) });
    const left = rejection(echo.channel('a').send({}));
    const closed = rejection(echo.channel('b').send({}));
    echo.leave('a');
    echo.disconnect();
    expect(await left).toMatchObject({ code: 'not_subscribed' });
    expect(await closed).toMatchObject({ code: 'unavailable' });
  });
});

describe('whisper', () => {
  it('goes out on private and presence once they are subscribed', async () => {
    const server = await startServer();
    const echo = openEcho({ host: server.url, token: 't' });
    echo.private('a').whisper('typing', { by: 1 });
    echo.join('a').whisper('typing', 'plain');
    expect((await server.next('client event', 'private-a')).body).toEqual({
      channel: 'private-a',
      event: 'client-typing',
      data: { by: 1 },
    });
    expect((await server.next('client event', 'presence-a')).body.data).toBe('plain');
    expect(server.commands.all.slice(0, 2).map((one) => one.event)).toEqual(['subscribe', 'subscribe']);
  });

  it('tells a refusal to error()', async () => {
    const server = await startServer();
    server.answer = (command) =>
      command.event === 'client event'
        ? { ok: false, code: 'rate_limited', status: 429, message: 'slower' }
        : yes(command);
    const refused = recorder<unknown>();
    const channel = openEcho({ host: server.url, token: 't' }).private('a').error(refused.call);
    channel.whisper('typing', {});
    expect(await refused.inbox.next()).toEqual({ code: 'rate_limited', status: 429, message: 'slower' });
  });

  it('is dropped while the page is cut off', async () => {
    const server = await startServer();
    const echo = openEcho({ host: server.url, token: 't' });
    const channel = echo.private('a');
    await channel.send({});
    const down = recorder<string>();
    echo.connector.onConnectionChange(down.call);
    server.cut();
    await down.inbox.next((status) => status === 'disconnected');
    channel.whisper('typing', 'stale');
    await channel.send({});
    channel.whisper('typing', 'fresh');
    expect((await server.next('client event')).body.data).toBe('fresh');
  });
});

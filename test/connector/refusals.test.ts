import { describe, expect, it } from 'vitest';
import { openEcho, recorder, startServer } from './support/echo.ts';
import { no, yes } from './support/scripted-server.ts';

describe('a refused subscription', () => {
  it('is told with code, status and message, to the channel and to the option onError', async () => {
    const server = await startServer();
    server.answer = (command) => no(command, 'forbidden', 403, 'the token opens another channel');
    const refused = recorder<unknown>();
    const everywhere = recorder<unknown>();
    openEcho({ host: server.url, token: 't', onError: everywhere.call }).channel('a').error(refused.call);

    const refusal = { code: 'forbidden', status: 403, message: 'the token opens another channel' };
    expect(await refused.inbox.next()).toEqual(refusal);
    expect(await everywhere.inbox.next()).toEqual({ ...refusal, channel: 'a' });
  });

  it('is final if the server says never: not tried again, told to whoever asks later, tried anew on demand', async () => {
    const server = await startServer();
    server.answer = (command) => (command.channel === 'a' ? no(command, 'forbidden', 403) : yes(command));
    const echo = openEcho({ host: server.url, token: 't' });
    const refused = recorder<unknown>();
    const channel = echo.channel('a').error(refused.call);
    await refused.inbox.next();
    await echo.channel('b').send({});

    server.cut();
    await server.next('subscribe', 'b');
    await server.next('subscribe', 'b');
    expect(server.count('subscribe', 'a')).toBe(1);

    const late = recorder<unknown>();
    channel.error(late.call);
    expect(await late.inbox.next()).toMatchObject({ code: 'forbidden' });

    server.answer = yes;
    channel.subscribe();
    await channel.send({});
  });

  it.each(['auth_error', 'unavailable', 'rate_limited', 'internal_error'])(
    'is told and tried again after %s',
    async (code) => {
      const server = await startServer();
      let left = 2;
      server.answer = (command) =>
        command.event === 'subscribe' && left-- > 0 ? no(command, code, 503) : yes(command);
      const refused = recorder<{ code: string }>();
      const channel = openEcho({ host: server.url, token: 't' }).channel('a').error(refused.call);
      await channel.send({});
      expect(refused.inbox.all.map((one) => one.code)).toEqual([code, code]);
    },
  );

  it('is not tried again before the time that the server names', async () => {
    const server = await startServer();
    const askedAtMs: number[] = [];
    server.answer = (command) => {
      if (command.event !== 'subscribe') return yes(command);
      askedAtMs.push(Date.now());
      return askedAtMs.length === 1 ? { ...no(command, 'unavailable', 503), retry_after: 1 } : yes(command);
    };
    const refused = recorder<unknown>();
    const channel = openEcho({ host: server.url, token: 't' }).channel('a').error(refused.call);
    await channel.send({});
    expect(refused.inbox.all).toMatchObject([{ code: 'unavailable', retryAfterMs: 1000 }]);
    const [first = 0, second = 0] = askedAtMs;
    expect(second - first).toBeGreaterThanOrEqual(1000);
  });

  it('is tried again when no answer came', async () => {
    const server = await startServer();
    let left = 1;
    server.answer = (command) => (command.event === 'subscribe' && left-- > 0 ? undefined : yes(command));
    const refused = recorder<{ code: string }>();
    const channel = openEcho({ host: server.url, token: 't', answerTimeoutMs: 50 })
      .channel('a')
      .error(refused.call);
    expect((await refused.inbox.next()).code).toBe('unavailable');
    const done = recorder<void>();
    channel.subscribed(() => done.call());
    await done.inbox.next();
  });

  it('for its token is answered with a new token at once, and told only if that one is refused too', async () => {
    const server = await startServer();
    server.answer = (command) => (command.token === 't3' ? yes(command) : no(command, 'token_expired', 401));
    let count = 0;
    const refused = recorder<{ code: string }>();
    const token = () => `t${++count}`;
    const channel = openEcho({ host: server.url, token }).channel('a').error(refused.call);
    const done = recorder<void>();
    channel.subscribed(() => done.call());
    await done.inbox.next();
    expect(server.commands.all.map((one) => one.token)).toEqual(['t1', 't2', 't3']);
    expect(refused.inbox.all.map((one) => one.code)).toEqual(['token_expired']);
  });

  it('for a token that cannot change is final', async () => {
    const server = await startServer();
    server.answer = (command) => no(command, 'token_expired', 401);
    const refused = recorder<unknown>();
    const channel = openEcho({ host: server.url, token: 'for ever' }).channel('a').error(refused.call);
    expect(await refused.inbox.next()).toMatchObject({ code: 'token_expired', status: 401 });
    await expect(channel.send({})).rejects.toMatchObject({ code: 'token_expired' });
    expect(server.count('subscribe')).toBe(1);
  });
});

describe('a token source that fails', () => {
  it('is told and asked again until it gives a token', async () => {
    const server = await startServer();
    let left = 3;
    const token = async () => {
      if (left-- > 0) throw new Error('the session is not ready');
      return 'good';
    };
    const refused = recorder<unknown>();
    const channel = openEcho({ host: server.url, token }).channel('a').error(refused.call);
    await channel.send({});
    expect(refused.inbox.all).toEqual(
      Array(3).fill({ code: 'auth_error', status: 0, message: 'the session is not ready' }),
    );
    expect((await server.next('subscribe')).token).toBe('good');
  });

  it('is told when it gives something else than a token, or nothing in time', async () => {
    const server = await startServer();
    const refused = recorder<{ message: string }>();
    const answers: unknown[] = [5, '', new Promise(() => {})];
    const token = (() => (answers.length > 0 ? answers.shift() : 'good')) as () => string;
    const channel = openEcho({ host: server.url, token, tokenTimeoutMs: 50 })
      .channel('a')
      .error(refused.call);
    await channel.send({});
    expect(refused.inbox.all.map((one) => one.message)).toEqual([
      'the token source gave neither a token nor null',
      'the token source gave neither a token nor null',
      'no token within 50 ms',
    ]);
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type AuthEndpoint, startAuthEndpoint } from '../support/auth-endpoint.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import type { SocketIoOptions } from '../support/socket-io.ts';
import { type Ack, WireClient } from '../support/wire-client.ts';
import { type Running, startYamabiko, until } from '../support/yamabiko.ts';

const CLIENTS: readonly Pick<Required<SocketIoOptions>, 'version' | 'transports'>[] = [
  { version: 4, transports: ['websocket'] },
  { version: 4, transports: ['polling'] },
  { version: 2, transports: ['websocket'] },
  { version: 2, transports: ['polling'] },
];

/** Somebody who may send to a room. */
interface Sender {
  /** @returns what the server said: `{ok}` or `{ok: false, error}` */
  send(data: object): Promise<Ack>;
  /** Sends without waiting. */
  pour(data: object): void;
  /** Resolves with what the server said last, when it has ended the connection. */
  ended(): Promise<{ code: string; retry_after?: number }>;
  close(): void | Promise<void>;
}

const SENDERS: readonly { name: string; enter(url: string, id: number): Promise<Sender> }[] = [
  {
    name: 'raw WebSocket',
    async enter(url, id) {
      const client = await RawClient.join({ url, token: mintToken({ id, channel: 'open:1' }) });
      return {
        send: (data) => client.request(data),
        pour: (data) => client.send(data),
        async ended() {
          const error = await client.next('error');
          expect((await client.closed()).code).toBe(4429);
          return error as unknown as { code: string };
        },
        close: () => client.close(),
      };
    },
  },
  ...CLIENTS.map((options) => ({
    name: `Socket.IO, client ${options.version} by ${options.transports[0]}`,
    async enter(url: string, id: number) {
      const client = await WireClient.open({ url, ...options, reconnection: false });
      await client.subscribe('open:1', { token: mintToken({ id, channel: 'open:1' }) });
      return {
        send: (data: object) => client.send('open:1', data),
        pour: (data: object) => client.emit('send', { channel: 'open:1', data }),
        async ended() {
          const { args } = await client.next('subscription_closed');
          await client.next('disconnect');
          return args[1];
        },
        close: () => client.close(),
      };
    },
  })),
];

const OPEN = { open: { clientSend: true } };

describe.each(SENDERS)('who sends by $name', (kind) => {
  let running: Running;
  const senders: Sender[] = [];
  afterEach(async () => {
    await Promise.all(senders.splice(0).map((sender) => sender.close()));
    await running?.settledToZero();
    await running?.stop();
  });
  const enter = async (id: number) => {
    const sender = await kind.enter(running.url, id);
    senders.push(sender);
    return sender;
  };

  it('faster than he may is refused and told when to go on, is served then, and disturbs nobody', async () => {
    running = await startYamabiko({ YAMABIKO_COMMAND_BURST: '3', YAMABIKO_COMMANDS_PER_SECOND: '1' }, OPEN);
    const [fast, calm] = [await enter(1), await enter(2)];
    for (let n = 0; n < 3; n++) expect(await fast.send({ n })).toMatchObject({ ok: true });
    let refused = await fast.send({});
    expect(refused.error).toMatchObject({ code: 'rate_limited', retry_after: 1 });
    expect(await calm.send({})).toMatchObject({ ok: true });
    const toldAtMs = Date.now();
    await until(() => Date.now() - toldAtMs >= 1_000, 'the time that was told is over');
    refused = await fast.send({});
    expect(refused).toMatchObject({ ok: true });
  });

  it('far faster than he may is ended with a code and a time, and the others are served', async () => {
    running = await startYamabiko({ YAMABIKO_COMMAND_BURST: '5', YAMABIKO_COMMANDS_PER_SECOND: '1' }, OPEN);
    const [fast, calm] = [await enter(1), await enter(2)];
    for (let n = 0; n < 100; n++) fast.pour({ n });
    expect(await fast.ended()).toMatchObject({ code: 'rate_limited', retry_after: expect.any(Number) });
    expect(await calm.send({})).toMatchObject({ ok: true });
    await until(() => running.snapshot().places === 1, 'his place is free');
  });

  it('more than may wait is refused, and what waits is bounded in bytes', async () => {
    running = await startYamabiko({ YAMABIKO_MAX_PENDING_BYTES: '60000' }, OPEN);
    const [large, calm] = [await enter(1), await enter(2)];
    // Each holds more than half of it; the first alone may be as large as it is.
    expect(await large.send({ text: 'x'.repeat(200_000) })).toMatchObject({ ok: true });
    const before = await running.metric('yamabiko_refusals_total', { code: 'rate_limited' });
    for (let n = 0; n < 20; n++) large.pour({ n, text: 'x'.repeat(40_000) });
    await until(
      async () => (await running.metric('yamabiko_refusals_total', { code: 'rate_limited' })) > before,
      'one too many is refused',
    );
    expect(await calm.send({})).toMatchObject({ ok: true });
  });
});

describe.each(CLIENTS)('on Socket.IO, client $version by $transports', (options) => {
  let auth: AuthEndpoint;
  let running: Running;
  const clients: WireClient[] = [];
  beforeAll(async () => {
    auth = await startAuthEndpoint();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await running?.settledToZero();
    await running?.stop();
  });
  afterAll(() => auth?.stop());

  const start = async (env: Readonly<Record<string, string>>) => {
    running = await startYamabiko({ YAMABIKO_AUTH_URL: auth.url, ...env });
  };
  const connect = async () => {
    const client = await WireClient.open({ url: running.url, ...options, reconnection: false });
    clients.push(client);
    return client;
  };
  const HEADERS = { headers: { Authorization: 'Bearer 1:ada' } };

  it('whispers have a rate of their own, which leaves the other commands alone', async () => {
    await start({ YAMABIKO_WHISPER_BURST: '2', YAMABIKO_WHISPERS_PER_SECOND: '1' });
    const client = await connect();
    await client.subscribe('private-x', HEADERS);
    for (let n = 0; n < 2; n++)
      expect(await client.whisper('private-x', 'client-a', {})).toEqual({ ok: true });
    expect(await client.whisper('private-x', 'client-a', {})).toMatchObject({
      ok: false,
      code: 'rate_limited',
      status: 429,
      retry_after: 1,
    });
    // A command still, refused for another reason.
    expect((await client.send('private-x', {})).error.code).toBe('not_subscribed');
    await until(
      async () => (await client.whisper('private-x', 'client-a', {})).ok === true,
      'the rate allows one more',
    );
  });

  it('a page that comes back with 120 channels of Laravel gets them all at once', async () => {
    await start({});
    const client = await connect();
    const before = auth.questions.length;
    const names = Array.from({ length: 120 }, (_, n) => `${n % 2 ? 'private' : 'presence'}-room${n}`);
    const answers = await Promise.all(names.map((name) => client.subscribe(name, HEADERS)));
    expect(answers.filter(({ ok }) => ok !== true)).toEqual([]);
    expect(auth.questions.length - before).toBe(120);
    expect(await running.metric('yamabiko_refusals_total', { code: 'rate_limited' })).toBe(0);
  });

  it('subscribes beyond their burst wait for their turn, dear ones longer, and none is lost', async () => {
    await start({ YAMABIKO_JOIN_BURST: '4', YAMABIKO_JOINS_PER_SECOND: '10', YAMABIKO_AUTH_COST: '2' });
    const client = await connect();
    const startMs = Date.now();
    const atMs = async (answer: Promise<Ack>) => {
      expect(await answer).toMatchObject({ ok: true });
      return Date.now() - startMs;
    };
    const [open, dear, late] = await Promise.all([
      Promise.all([1, 2].map((n) => atMs(client.subscribe(`news${n}`)))),
      atMs(client.subscribe('private-1', HEADERS)),
      Promise.all([2, 3, 4, 5].map((n) => atMs(client.subscribe(`private-${n}`, HEADERS)))),
    ]);
    expect(open).toHaveLength(2);
    expect(dear).toBeGreaterThanOrEqual(0);
    // Two units each, ten units a second: not before their time.
    expect(late.map((ms, n) => ms >= (n + 1) * 200 - 5)).toEqual([true, true, true, true]);
  });

  it('who would wait too long is refused, told when to come back, and loses nothing that he has', async () => {
    await start({ YAMABIKO_JOIN_BURST: '1', YAMABIKO_JOINS_PER_SECOND: '1' });
    const [client, calm] = [await connect(), await connect()];
    expect(await client.subscribe('news0')).toMatchObject({ ok: true });
    // One second each: the eleventh would have to wait for more than ten.
    for (let n = 1; n <= 10; n++) client.emit('subscribe', { channel: `news${n}` });
    const refused = await client.subscribe('news11');
    expect(refused).toMatchObject({ ok: false, code: 'rate_limited', status: 429, retry_after: 1 });
    expect((await client.next('subscription_error')).args).toEqual(['news11', 429]);
    expect(await calm.subscribe('news0')).toMatchObject({ ok: true });
    await running.server.publish('news0', '{"event":"e","data":{},"socket":null}');
    await Promise.all([client.next('e'), calm.next('e')]);
  });

  it('an unsubscribe ends a subscribe that still waits for its turn', async () => {
    await start({ YAMABIKO_JOIN_BURST: '2', YAMABIKO_JOINS_PER_SECOND: '1' });
    const client = await connect();
    const asked = auth.questions.length;
    await Promise.all([client.subscribe('news1'), client.subscribe('news2')]);
    const waiting = client.subscribe('private-late', HEADERS);
    // The answer shows that it has begun.
    await client.unsubscribe('other');
    expect(await client.unsubscribe('private-late')).toEqual({ ok: true });
    expect(await waiting).toMatchObject({ ok: false, code: 'cancelled' });
    expect(auth.questions.length).toBe(asked);
  });

  it('one channel too many is refused, until another is left', async () => {
    await start({ YAMABIKO_MAX_SUBSCRIPTIONS: '2' });
    const client = await connect();
    for (const name of ['news1', 'private-2'])
      expect(await client.subscribe(name, HEADERS)).toMatchObject({ ok: true });
    expect(await client.subscribe('news3')).toMatchObject({ ok: false, code: 'limit_reached', status: 429 });
    expect((await client.next('subscription_error')).args).toEqual(['news3', 429]);
    await client.unsubscribe('news1');
    expect(await client.subscribe('news3')).toMatchObject({ ok: true });
  });

  it('a repeated subscribe costs too, and the list is not sent without end', async () => {
    await start({ YAMABIKO_JOIN_BURST: '3', YAMABIKO_JOINS_PER_SECOND: '1', YAMABIKO_AUTH_COST: '1' });
    const client = await connect();
    for (let n = 0; n < 60; n++) client.emit('subscribe', { channel: 'presence-x', auth: HEADERS });
    expect(await client.subscribe('news')).toMatchObject({ ok: true });
    expect(client.unread().filter(({ event }) => event === 'presence:subscribed').length).toBeLessThan(20);
  });
});

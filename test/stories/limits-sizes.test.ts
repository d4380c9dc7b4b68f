import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type AuthEndpoint, startAuthEndpoint } from '../support/auth-endpoint.ts';
import { mintToken } from '../support/jwt.ts';
import { PollingSession } from '../support/limit-doors.ts';
import { RawClient } from '../support/raw-client.ts';
import type { SocketIoOptions } from '../support/socket-io.ts';
import { type Ack, WireClient } from '../support/wire-client.ts';
import { type Running, startYamabiko, until } from '../support/yamabiko.ts';

interface Reader {
  send(data: object): Promise<Ack>;
  /** The data of the next message of the room. */
  message(): Promise<object>;
  close(): void | Promise<void>;
}

interface Way {
  readonly name: string;
  /** @returns who is in, or the code of the refusal and how long to wait */
  enter(url: string, claims: object): Promise<Reader | { readonly code: string }>;
}

const socketIo = (options: Pick<SocketIoOptions, 'version' | 'transports'>): Way => ({
  name: `Socket.IO, client ${options.version} by ${options.transports?.[0]}`,
  async enter(url, claims) {
    const client = await WireClient.open({ url, ...options, reconnection: false });
    const ack = await client.subscribe('open:1', { token: mintToken({ ...claims, channel: 'open:1' }) });
    if (!ack.ok) {
      client.close();
      return ack;
    }
    return {
      send: (data) => client.send('open:1', data),
      message: async () => (await client.next('message')).args[1].data,
      close: () => client.close(),
    };
  },
});

const WAYS: readonly Way[] = [
  {
    name: 'raw WebSocket',
    async enter(url, claims) {
      const client = await RawClient.open({ url, token: mintToken({ ...claims, channel: 'open:1' }) });
      const first = await client.next();
      if (first.type === 'error') return { code: first.code };
      return {
        send: (data) => client.request(data),
        message: async () => (await client.next('message')).data,
        close: () => client.close(),
      };
    },
  },
  socketIo({ version: 4, transports: ['websocket'] }),
  socketIo({ version: 4, transports: ['polling'] }),
  socketIo({ version: 2, transports: ['websocket'] }),
  socketIo({ version: 2, transports: ['polling'] }),
];

const OPEN = { open: { clientSend: true } };
const custom = (data: object) => JSON.stringify({ channel: 'open:1', data });

describe.each(WAYS)('by $name', (way) => {
  let running: Running;
  const readers: Reader[] = [];
  afterEach(async () => {
    await Promise.all(readers.splice(0).map((reader) => reader.close()));
    await running?.settledToZero();
    await running?.stop();
  });
  const enter = async (claims: object = {}) => {
    const answer = await way.enter(running.url, claims);
    if (!('code' in answer)) readers.push(answer);
    return answer;
  };

  it('an event too large to send is refused, one of Laravel is dropped and counted, and the next one comes', async () => {
    running = await startYamabiko({ YAMABIKO_MAX_EVENT_BYTES: '2000' }, OPEN);
    const reader = (await enter()) as Reader;
    const refused = await reader.send({ text: 'x'.repeat(2_000) });
    expect(refused.error).toMatchObject({ code: 'too_large' });
    // Characters of several bytes: it is bytes that count.
    expect((await reader.send({ text: '語'.repeat(700) })).error).toMatchObject({ code: 'too_large' });
    await running.server.publish('broadcast', custom({ text: 'y'.repeat(2_000) }));
    expect(await running.metric('yamabiko_dropped_total', { reason: 'too_large' })).toBe(1);
    const line = running.log.find(({ message }) => message === 'dropped a payload of Redis');
    expect(line?.fields).toMatchObject({
      reason: 'too_large',
      channel: 'broadcast',
      bytes: expect.any(Number),
    });
    expect(await reader.send({ text: 'z' })).toMatchObject({ ok: true });
    expect(await reader.message()).toEqual({ text: 'z' });
    await running.server.publish('broadcast', custom({ text: 'last' }));
    expect(await reader.message()).toEqual({ text: 'last' });
  });

  it('a member that is too large is refused, and those within it come in', async () => {
    running = await startYamabiko({ YAMABIKO_MAX_MEMBER_BYTES: '300' }, OPEN);
    expect(await enter({ id: 1, name: 'x'.repeat(300) })).toMatchObject({ code: 'too_large' });
    expect(await enter({ id: 2, name: 'bob' })).toHaveProperty('send');
    expect(running.snapshot().members).toBe(1);
  });

  it('one user too many in a room is refused, until another leaves; one who is shown comes again', async () => {
    running = await startYamabiko({ YAMABIKO_MAX_MEMBERS: '2' }, OPEN);
    const [first] = [await enter({ id: 1 }), await enter({ id: 2 })];
    expect(await enter({ id: 3 })).toMatchObject({ code: 'limit_reached' });
    expect(await enter({ id: 2 })).toHaveProperty('send');
    await (first as Reader).close();
    readers.shift();
    await until(async () => 'send' in (await enter({ id: 3 })), 'there is room again');
  });
});

describe('what a client may send at once', () => {
  let running: Running;
  beforeAll(async () => {
    running = await startYamabiko(
      {
        YAMABIKO_MAX_FRAME_BYTES: '10000',
        YAMABIKO_HTTP_MAX_URL_BYTES: '2000',
        YAMABIKO_HTTP_MAX_HEADER_BYTES: '8192',
      },
      OPEN,
    );
  });
  afterEach(() => running.settledToZero());
  afterAll(() => running?.stop());
  const refusals = (code: string) => running.metric('yamabiko_refusals_total', { code });

  it('is a frame of a certain size on raw, closed with 1009, and the others stay', async () => {
    const calm = await RawClient.join({ url: running.url, token: mintToken({ id: 2, channel: 'open:1' }) });
    const client = await RawClient.join({ url: running.url, token: mintToken({ channel: 'open:1' }) });
    const before = await refusals('too_large');
    client.send({ text: 'x'.repeat(10_000) });
    expect((await client.closed()).code).toBe(1009);
    expect(await refusals('too_large')).toBe(before + 1);
    expect(await calm.request({})).toMatchObject({ ok: true });
    await calm.close();
  });

  it.each([3, 4] as const)('is the same on a WebSocket of Engine.IO %i', async (EIO) => {
    const address = `${running.url.replace('http', 'ws')}/socket.io/?EIO=${EIO}&transport=websocket`;
    const socket = new WebSocket(address);
    socket.once('message', () =>
      socket.send(`42["send",{"channel":"open:1","data":"${'x'.repeat(10_000)}"}]`),
    );
    const code = await new Promise((resolve) => socket.on('close', resolve));
    expect(code).toBe(1009);
  });

  it.each([3, 4] as const)('is a body of the same size by polling of Engine.IO %i', async (EIO) => {
    const session = (await PollingSession.open(running.url, EIO)) as PollingSession;
    const before = await refusals('too_large');
    const response = await session.post(`42["send",{"channel":"open:1","data":"${'x'.repeat(10_000)}"}]`);
    expect(response.status).toBe(413);
    expect(await response.json()).toEqual({ code: 4, message: 'too_large' });
    expect(await refusals('too_large')).toBe(before + 1);
    await session.leave();
  });

  it.each([
    ['a request', {}, '/socket.io/?EIO=4&transport=polling&t='],
    ['a request of the HTTP API', {}, '/apps/app/channels?x='],
    [
      'an upgrade',
      {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Key': 'x'.repeat(22).concat('=='),
        'Sec-WebSocket-Version': '13',
      },
      '/ws?token=',
    ],
  ])('is an address of a certain length in %s', async (_what, headers, path) => {
    const before = await refusals('too_large');
    const answer = await ask(path + 'x'.repeat(2_000), headers);
    expect(answer).toMatchObject({ status: 413, code: 'too_large' });
    expect(await refusals('too_large')).toBe(before + 1);
  });

  it('is headers of a certain size, of a request and of an upgrade', async () => {
    const before = await refusals('too_large');
    for (const path of ['/', '/ws', '/socket.io/?EIO=4&transport=polling'])
      expect(await ask(path, { cookie: 'x'.repeat(10_000) })).toMatchObject({
        status: 431,
        code: 'too_large',
      });
    expect(await refusals('too_large')).toBe(before + 3);
  });

  it('is a request that is one', async () => {
    const socket = connect(Number(new URL(running.url).port), '127.0.0.1');
    socket.write('GARBAGE\r\n\r\n');
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain('"code":"invalid_message"');
  });

  function ask(path: string, headers: object): Promise<{ status: number; code: string }> {
    return new Promise((resolve, reject) => {
      const sent = request(`${running.url}${path}`, { headers: { ...headers } });
      sent.on('error', reject);
      sent.on('response', async (response) => {
        let body = '';
        for await (const chunk of response) body += String(chunk);
        resolve({ status: response.statusCode ?? 0, code: JSON.parse(body).code });
      });
      sent.end();
    });
  }
});

describe('what Laravel says of a member', () => {
  let auth: AuthEndpoint;
  beforeAll(async () => {
    auth = await startAuthEndpoint(async ({ channel }) => ({
      status: 200,
      body: JSON.stringify({
        channel_data: { user_id: 1, user_info: { about: 'x'.repeat(Number(channel.split('-')[1])) } },
      }),
    }));
  });
  afterAll(() => auth?.stop());

  it('has its bound too', async () => {
    const running = await startYamabiko({ YAMABIKO_AUTH_URL: auth.url });
    const client = await WireClient.open({ url: running.url });
    expect(await client.subscribe('presence-16000')).toMatchObject({ ok: true });
    expect(await client.subscribe('presence-16384')).toMatchObject({ code: 'too_large', status: 413 });
    expect((await client.next('subscription_error')).args).toEqual(['presence-16384', 413]);
    client.close();
    await running.settledToZero();
    await running.stop();
  });
});

describe('a whisper', () => {
  it('that is too large is refused to who whispers it', async () => {
    const auth = await startAuthEndpoint();
    const running = await startYamabiko({ YAMABIKO_AUTH_URL: auth.url, YAMABIKO_MAX_EVENT_BYTES: '2000' });
    const headers = { Authorization: 'Bearer 1:ada' };
    const [client, other] = [
      await WireClient.open({ url: running.url }),
      await WireClient.open({ url: running.url, version: 2 }),
    ];
    for (const one of [client, other]) await one.subscribe('private-x', { headers });
    expect(await client.whisper('private-x', 'client-a', 'x'.repeat(2_000))).toMatchObject({
      ok: false,
      code: 'too_large',
      status: 413,
    });
    expect(await client.whisper('private-x', 'client-a', 'small')).toEqual({ ok: true });
    expect((await other.next('client-a')).args).toEqual(['private-x', 'small']);
    for (const one of [client, other]) one.close();
    await running.settledToZero();
    await running.stop();
    await auth.stop();
  });
});

import { request as httpRequest } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type AuthEndpoint, startAuthEndpoint } from '../support/auth-endpoint.ts';
import { CLUSTERS, type Cluster } from '../support/clusters.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import type { ClientVersion, Transport } from '../support/socket-io.ts';
import { WireClient } from '../support/wire-client.ts';

const CLIENTS: readonly { version: ClientVersion; transports: readonly Transport[] }[] = [
  { version: 2, transports: ['polling'] },
  { version: 2, transports: ['websocket'] },
  { version: 3, transports: ['polling'] },
  { version: 4, transports: ['polling'] },
  { version: 4, transports: ['websocket'] },
];

const laravel = (event: string, data: string) => `{"event":"${event}","data":${data},"socket":null}`;

/** Whom Laravel names on a presence channel, by a word in its name. */
const CHANNEL_DATA: Readonly<Record<string, string>> = {
  uuid: '{"user_id":"9f8c-uuid","user_info":"only text"}',
  zero: '{"user_id":0,"user_info":5}',
  bare: '{"user_id":"42"}',
  huge: '{"user_id":9223372036854775807,"user_info":{"name":"big","rate":10.0}}',
};

interface Answer {
  readonly status: number;
  readonly body: string;
}

describe.each(CLUSTERS)('at the doors $name', (kind) => {
  let auth: AuthEndpoint;
  let cluster: Cluster;
  const clients: { close(): void | Promise<void> }[] = [];

  beforeAll(async () => {
    auth = await startAuthEndpoint(async ({ channel }) => {
      const data = CHANNEL_DATA[channel.replace('presence-', '')];
      return data === undefined ? null : { status: 200, body: `{"channel_data":${data}}` };
    });
    cluster = await kind.start(
      { YAMABIKO_AUTH_URL: auth.url, YAMABIKO_APPS: 'app:key' },
      { open: { clientSend: true } },
    );
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await cluster.settledToZero();
  });
  afterAll(async () => {
    await cluster?.stop();
    await auth?.stop();
  });

  async function connect(options: Partial<ConstructorParameters<typeof WireClient>[0]> = {}) {
    const client = await WireClient.open({ url: cluster.server.url, ...options });
    clients.push(client);
    return client;
  }

  async function join(channel: string, id = 7) {
    const token = mintToken({ id, name: `user ${id}`, channel });
    const client = await RawClient.join({ url: cluster.server.url, token });
    clients.push(client);
    return client;
  }

  /** One plain request, as a page's polling makes it. */
  function ask(query: string, body?: string, headers: Record<string, string> = {}): Promise<Answer> {
    const type = body === undefined ? {} : { 'content-type': 'text/plain;charset=UTF-8' };
    return new Promise((resolve, reject) => {
      const request = httpRequest(`${cluster.server.url}/socket.io/?${query}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { ...type, ...headers },
      });
      request.on('error', reject);
      request.on('response', async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
      });
      request.end(body);
    });
  }

  /** A polling session that is connected. @returns the query of its further requests */
  async function pollingSession(): Promise<string> {
    const { sid } = JSON.parse((await ask('EIO=4&transport=polling')).body.slice(1)) as { sid: string };
    const session = `EIO=4&transport=polling&sid=${sid}`;
    await ask(session, '40');
    await ask(session);
    clients.push({ close: async () => void (await ask(session, '1')) });
    return session;
  }

  it("a stranger's page cannot go on with a session that it began without an origin", async () => {
    const session = await pollingSession();
    const stranger = { origin: 'https://stranger.example' };
    const forbidden = { status: 403, body: '{"code":4,"message":"Forbidden"}' };
    expect(await ask(session, '42["subscribe",{"channel":"news"}]', stranger)).toEqual(forbidden);
    expect(await ask(session, undefined, stranger)).toEqual(forbidden);
    const target = `${cluster.server.url.replace('http', 'ws')}/socket.io/?${session.replace('polling', 'websocket')}`;
    const upgrade = new WebSocket(target, { headers: stranger });
    const refusal = await new Promise((resolve) => upgrade.on('error', ({ message }) => resolve(message)));
    expect(refusal).toContain('403');
    expect(cluster.server.snapshot().subscriptions.public ?? 0).toBe(0);
  });

  it.each([3, 4])(
    'who leaves the namespace on Engine.IO %i keeps no transport that is not counted',
    async (EIO) => {
      const target = `${cluster.server.url.replace('http', 'ws')}/socket.io/?EIO=${EIO}&transport=websocket`;
      const webSocket = new WebSocket(target);
      const closed = new Promise((resolve) => webSocket.on('close', resolve));
      webSocket.on('open', () => EIO === 4 && webSocket.send('40'));
      webSocket.on('message', (bytes) => String(bytes).startsWith('40') && webSocket.send('41'));
      await closed;
    },
  );

  it("Laravel's bytes go through polling as they came", async () => {
    const session = await pollingSession();
    await ask(session, '42["subscribe",{"channel":"news"}]');
    expect((await ask(session)).body).toMatch(/^42\["subscription_succeeded","news",\{\}[,\]]/);
    const data =
      '{"t":"Za\\u017c \\/ \u{1F600} \\ud83d\\ude00 \\ud800","n":9223372036854775807,"f":10.0,"e":1e400,"b":1,"a":2,"l":[],"m":{},"socket":null}';
    await cluster.publish('news', laravel('App\\\\Sent', data));
    expect((await ask(session)).body.startsWith(`42["App\\\\Sent","news",${data},`)).toBe(true);
  });

  it.each(CLIENTS)(
    'a payload of megabytes arrives whole by $transports on client $version',
    async (options) => {
      const client = await connect(options);
      await client.subscribe('news');
      const text = 'ż\u{1F600}"'.repeat(300_000);
      await cluster.publish('news', laravel('big', JSON.stringify({ text })));
      const { args } = await client.next('big');
      expect(args[1].text === text).toBe(true);
    },
  );

  it.each([
    ['uuid', '{"id":"9f8c-uuid","name":"9f8c-uuid"}', '{"name":"9f8c-uuid","id":"9f8c-uuid"}'],
    ['zero', '{"id":0,"name":"0"}', '{"name":"0","id":0}'],
    ['bare', '{"id":42,"name":"42"}', '{"name":"42","id":42}'],
    ['huge', '{"id":9223372036854775807,"name":"big"}', '{"name":"big","id":9223372036854775807}'],
  ])("Laravel's user %s is shown alike at every door", async (name, user, sender) => {
    const before = await join(name);
    const echo = await connect();
    await echo.subscribe(`presence-${name}`);
    const [{ user_id: userId, user_info: userInfo }] = (await echo.next('presence:subscribed')).args[1].slice(
      -1,
    );
    expect([userId, userInfo]).toEqual(
      Object.values({
        user_id: undefined,
        user_info: undefined,
        ...JSON.parse(CHANNEL_DATA[name] as string),
      }),
    );
    await before.next('connectOther');
    expect(before.texts().at(-1)).toBe(
      `{"type":"connectOther","sender":${sender},"data":{"user":${sender}}}`,
    );
    const after = await join(name, 8);
    expect(after.texts()[0]).toContain(user);
    const url = `${cluster.server.url}/apps/app/channels/presence-${name}/users?auth_key=key`;
    const spelled = (CHANNEL_DATA[name] as string).replace('"user_id"', '"id"');
    expect(await (await fetch(url)).text()).toContain(spelled);
  });

  it('a name that no channel can have is refused at unsubscribe too; one never joined is not', async () => {
    const client = await connect();
    expect(await client.unsubscribe('never joined')).toMatchObject({ ok: false, code: 'invalid_channel' });
    expect(await client.unsubscribe('broadcast')).toMatchObject({ ok: false, status: 400 });
    expect(await client.unsubscribe('never-joined')).toEqual({ ok: true });
    expect(await client.unsubscribe('presence-never-joined')).toEqual({ ok: true });
  });

  it('the time told is what is left on the JWT, without the tolerance of clocks', async () => {
    const client = await connect();
    const { expires_in: left } = await client.subscribe('chat:1', { token: mintToken() });
    expect(left).toBeLessThanOrEqual(3600);
    expect(left).toBeGreaterThan(3590);
  });

  it('a JWT in a header turns a public subscription into one of the room', async () => {
    const client = await connect();
    await client.subscribe('open', { headers: {} });
    expect(await client.subscribe('open', { headers: { 'X-Other': '1' } })).toEqual({
      ok: true,
      channel: 'open',
    });
    const headers = { Authorization: `Bearer ${mintToken({ channel: 'open' })}` };
    expect(await client.subscribe('open', { headers })).toMatchObject({
      ok: true,
      expires_in: expect.any(Number),
    });
    expect(await client.send('open', {})).toEqual({ type: 'sended', ok: true });
    expect((await client.next('message')).args[0]).toBe('open');
  });

  it('a send is by the user whose token opened the wire name that it names', async () => {
    const client = await connect();
    const token = (id: number, name: string) => ({ token: mintToken({ id, name, channel: 'open' }) });
    await client.subscribe('open', token(1, 'ada'));
    await client.subscribe('presence-open', token(2, 'bob'));
    for (const [wire, name] of [
      ['presence-open', 'bob'],
      ['open', 'ada'],
      ['private-open', 'ada'],
    ] as const) {
      expect(await client.send(wire, {})).toEqual({ type: 'sended', ok: true });
      for (const _ of ['open', 'presence-open'])
        expect((await client.next('message')).args[1].sender.name).toBe(name);
    }
  });

  it('data nested deeper than can be written is refused, and is no fault of the server', async () => {
    const session = await pollingSession();
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const token = mintToken({ channel: 'open' });
    await ask(session, `42["subscribe",{"channel":"open","auth":{"token":"${token}"}}]`);
    await ask(session);
    for (const command of [
      `["send",{"channel":"open","data":{"deep":${deep}}}]`,
      `["client event",{"channel":"private-open","event":"client-x","data":${deep}}]`,
    ]) {
      await ask(session, `421${command}`);
      expect((await ask(session)).body).toContain('"code":"invalid_message"');
    }
    expect(cluster.server.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

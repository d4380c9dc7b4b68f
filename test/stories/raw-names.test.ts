import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type AuthEndpoint, startAuthEndpoint } from '../support/auth-endpoint.ts';
import { CLUSTERS, type Cluster } from '../support/clusters.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { WireClient } from '../support/wire-client.ts';

// protocol.md section 1: a name is taken literally, and there is one verdict on it.
describe.each(CLUSTERS)('channel names at the raw door $name', (kind) => {
  let cluster: Cluster;
  const clients: RawClient[] = [];
  beforeAll(async () => {
    cluster = await kind.start({ YAMABIKO_SYSTEM_USER_NAME: 'Laravel "L"' });
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await cluster.settledToZero();
  });
  afterAll(() => cluster?.stop());

  async function join(channel: string) {
    const client = await RawClient.join({ url: cluster.server.url, token: mintToken({ channel }) });
    clients.push(client);
    return client;
  }
  const publish = (channel: string, n: unknown) =>
    cluster.publish('broadcast', JSON.stringify({ channel, data: { n } }));

  it.each([
    'news',
    'room:a,b,c',
    'room:',
    ':',
    'Room:1',
    'room:日本語🎌',
    'private',
    'presence:1',
    'PRIVATE-x',
    'x-private-y',
    'a"b\\c',
    '__proto__',
    'x'.repeat(200),
    '部'.repeat(66),
  ])('%s is one', async (channel) => {
    const client = await join(channel);
    await publish(channel, 1);
    expect(await client.next()).toEqual({
      type: 'message',
      sender: { name: 'Laravel "L"', id: 0 },
      data: { n: 1 },
    });
  });

  it.each(['x'.repeat(201), '部'.repeat(67), 'a\tb', 'a\u0000b', 'a\u3000b', 'laravel_database_x', '\ud800'])(
    '%j is none: 4403',
    async (channel) => {
      const client = await RawClient.open({ url: cluster.server.url, token: mintToken({ channel }) });
      expect(await client.next()).toMatchObject({ type: 'error', code: 'invalid_channel' });
      expect((await client.closed()).code).toBe(4403);
    },
  );

  it('is neither a pattern nor folded', async () => {
    const names = ['room:*', 'room:?', 'room:[12]', 'room:1', 'ROOM:1', 'room:é', 'room:e\u0301'];
    const members = await Promise.all(names.map(async (name) => ({ name, client: await join(name) })));
    for (const { name } of members) await publish(name, name);
    for (const { name } of members) await publish(name, 'end');
    for (const { name, client } of members) {
      expect(client.connected.users).toHaveLength(1);
      expect((await client.next()).data).toEqual({ n: name });
      expect((await client.next()).data).toEqual({ n: 'end' });
    }
  });
});

// protocol.md section 3, below the table: how a raw client sees who came in by Echo.
describe.each(CLUSTERS)('members by Echo as a raw client sees them $name', (kind) => {
  let auth: AuthEndpoint;
  let cluster: Cluster;
  let channelData = '';
  beforeAll(async () => {
    auth = await startAuthEndpoint(async () => ({ status: 200, body: `{"channel_data":${channelData}}` }));
    cluster = await kind.start({ YAMABIKO_AUTH_URL: auth.url });
  });
  afterAll(async () => {
    await cluster?.stop();
    await auth?.stop();
  });

  it.each([
    ['{"user_id":7,"user_info":{"id":7,"name":"seven"}}', '7', '"seven"'],
    ['{"user_id":"7","user_info":{"name":"text"}}', '7', '"text"'],
    ['{"user_id":9223372036854775807,"user_info":{"name":"big"}}', '9223372036854775807', '"big"'],
    ['{"user_id":"007","user_info":{"name":"bond"}}', '"007"', '"bond"'],
    ['{"user_id":"9b1c-uuid","user_info":{"name":"uuid"}}', '"9b1c-uuid"', '"uuid"'],
    ['{"user_id":8,"user_info":{"name":5}}', '8', '"8"'],
    ['{"user_id":8,"user_info":[]}', '8', '"8"'],
    ['{"user_id":8}', '8', '"8"'],
  ])('%s', async (data, id, name) => {
    channelData = data;
    const raw = (user: number) =>
      RawClient.join({
        url: cluster.server.url,
        token: mintToken({ id: user, name: 'raw', channel: 'chat:m' }),
      });
    const witness = await raw(1);
    const echo = await WireClient.open({ url: cluster.server.url });
    expect(await echo.subscribe('presence-chat:m')).toMatchObject({ ok: true });
    await witness.next('connectOther');
    const late = await raw(2);
    echo.close();
    await witness.next('disconnectOther');
    const user = `{"name":${name},"id":${id}}`;
    const texts = witness.texts().filter((text) => text.includes(user));
    expect(texts).toEqual([
      `{"type":"connectOther","sender":${user},"data":{"user":${user}}}`,
      `{"type":"disconnectOther","sender":${user},"data":{"user":${user}}}`,
    ]);
    expect(late.texts()[0]).toContain(`{"id":${id},"name":${name}}`);
    await witness.close();
    await late.close();
    await cluster.settledToZero();
  });
});

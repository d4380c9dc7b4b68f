import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { ChannelName } from '../../../server/domain/channel-name.ts';
import { createMember, type Member } from '../../../server/domain/member.ts';
import { UnavailableError } from '../../../server/domain/outcome.ts';
import { requireAppKey } from '../../../server/http/app-key.ts';
import { type ChannelQueries, createEchoHttpApi } from '../../../server/protocols/echo/http-api.ts';
import type { DecodedEvent } from '../../../server/protocols/echo/http-api-event.ts';
import { listeningServer } from '../http/listening-server.ts';

const RESERVED = { redisPrefix: 'laravel_database_', names: new Set(['broadcast']) };
const APPS = [
  { id: 'one', key: 'key-1' },
  { id: 'one', key: 'key-1-next' },
  { id: 'two', key: 'key-2' },
];
const MISSING = 'Event must include channel, event name and data';

function fakeQueries(overrides: Partial<ChannelQueries> = {}): ChannelQueries {
  return {
    status: async () => ({ subscriptionCount: 7 }),
    channels: async () => new Map(),
    channel: async () => ({ subscriptionCount: 0, occupied: false }),
    users: async () => [],
    ...overrides,
  };
}

async function api(overrides: Partial<ChannelQueries> = {}, publish?: () => Promise<void>, publishes = true) {
  const published: DecodedEvent[] = [];
  const router = createEchoHttpApi({
    publishes,
    guard: requireAppKey(APPS),
    queries: fakeQueries(overrides),
    publish:
      publish ??
      (async (event) => {
        published.push(event);
      }),
    reserved: RESERVED,
    bodyLimitBytes: 10_000,
  });
  const server = await listeningServer({ mounts: [{ path: '/', router }] });
  const ask = async (path: string, init: RequestInit = {}) => {
    const headers = { authorization: 'Bearer key-1', ...(init.headers as Record<string, string>) };
    const res = await fetch(`${server.url}${path}`, { ...init, headers });
    return { status: res.status, text: await res.text(), headers: res.headers };
  };
  const post = (body: unknown, contentType: string | null = 'application/json') =>
    ask('/apps/one/events', {
      method: 'POST',
      // Bytes, since fetch would give a string a type of its own.
      body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
      ...(contentType !== null && { headers: { 'content-type': contentType } }),
    });
  return { ...server, ask, post, published };
}

function refusal(status: number, error: unknown, code: string) {
  return { status, body: { error, code } };
}

function told({ status, text }: { status: number; text: string }) {
  return { status, body: JSON.parse(text) as unknown };
}

describe('who may ask', () => {
  const statusOf = async (path: string, headers: Record<string, string> = {}) => {
    const { url } = await api();
    const res = await fetch(url + path, { headers });
    return { status: res.status, text: await res.text() };
  };
  const UNAUTHORIZED = refusal(403, 'Unauthorized', 'forbidden');

  it('is who bears a key of the app, in the header or in the query', async () => {
    expect(await statusOf('/apps/one/status', { authorization: 'Bearer key-1' })).toMatchObject({
      status: 200,
    });
    expect(await statusOf('/apps/one/status', { authorization: 'bearer key-1-next' })).toMatchObject({
      status: 200,
    });
    expect(await statusOf('/apps/one/status?auth_key=key-1')).toMatchObject({ status: 200 });
    expect(await statusOf('/apps/two/status?auth_key=key-2')).toMatchObject({ status: 200 });
    const basic = { authorization: 'Basic eDp5' };
    expect(await statusOf('/apps/one/status?auth_key=key-1', basic)).toMatchObject({ status: 200 });
  });

  it('the header goes first: a wrong one is not made good by the query', async () => {
    const headers = { authorization: 'Bearer wrong' };
    expect(told(await statusOf('/apps/one/status?auth_key=key-1', headers))).toEqual(UNAUTHORIZED);
  });

  it.each([
    ['nothing', '/apps/one/status', {}],
    ['a wrong key', '/apps/one/status?auth_key=wrong', {}],
    ["another app's key", '/apps/one/status?auth_key=key-2', {}],
    ['an unknown app', '/apps/three/status?auth_key=key-1', {}],
    ['an empty key', '/apps/one/status?auth_key=', { authorization: 'Bearer ' }],
    ['a key twice', '/apps/one/status?auth_key=key-1&auth_key=key-1', {}],
    ['a key as an object', '/apps/one/status?auth_key[toString]=key-1', {}],
    ['a key in part', '/apps/one/status', { authorization: 'Bearer key-' }],
    ['a key without scheme', '/apps/one/status', { authorization: 'key-1' }],
    ['two keys', '/apps/one/status', { authorization: 'Bearer key-1 key-1' }],
    ['the prototype as app', '/apps/__proto__/status?auth_key=key-1', {}],
    ['nothing, for a path that does not exist', '/apps/one/nothing', {}],
  ])('is not who brings %s', async (_case, path, headers) => {
    expect(told(await statusOf(path, headers))).toEqual(UNAUTHORIZED);
  });

  it('is asked before a body is read, for a POST too', async () => {
    const { url, published } = await api();
    const res = await fetch(`${url}/apps/one/events`, { method: 'POST', body: 'x'.repeat(100_000) });
    expect([res.status, await res.json()]).toEqual([403, UNAUTHORIZED.body]);
    expect(published).toEqual([]);
  });

  it('is nobody where no app is configured', async () => {
    const router = createEchoHttpApi({
      publishes: true,
      guard: requireAppKey([]),
      queries: fakeQueries(),
      publish: async () => undefined,
      reserved: RESERVED,
      bodyLimitBytes: 1_000,
    });
    const { url } = await listeningServer({ mounts: [{ path: '/', router }] });
    expect((await fetch(`${url}/apps/undefined/status?auth_key=undefined`)).status).toBe(403);
  });
});

describe('GET status', () => {
  it('tells subscriptions, uptime and memory', async () => {
    const { ask } = await api();
    const { status, text, headers } = await ask('/apps/one/status');
    const body = JSON.parse(text) as Record<string, unknown>;
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(['subscription_count', 'uptime', 'memory_usage']);
    expect(body).toMatchObject({ subscription_count: 7, uptime: expect.any(Number) });
    expect(Object.keys(body.memory_usage as object)).toEqual([
      'rss',
      'heapTotal',
      'heapUsed',
      'external',
      'arrayBuffers',
    ]);
    expect(headers.get('cache-control')).toBe('no-store');
  });
});

describe('GET channels', () => {
  it('lists each channel by its wire name', async () => {
    const channels = async () =>
      new Map([
        ['news', { subscriptionCount: 2, occupied: true }],
        ['presence-chat:1', { subscriptionCount: 1, occupied: true, userCount: 1 }],
        ['__proto__', { subscriptionCount: 3, occupied: true }],
      ]);
    const { ask } = await api({ channels });
    expect((await ask('/apps/one/channels')).text).toBe(
      '{"channels":{"news":{"subscription_count":2,"occupied":true},' +
        '"presence-chat:1":{"subscription_count":1,"occupied":true},' +
        '"__proto__":{"subscription_count":3,"occupied":true}}}',
    );
  });

  it('is empty where nobody is', async () => {
    const { ask } = await api();
    expect((await ask('/apps/one/channels')).text).toBe('{"channels":{}}');
  });

  it('hands the prefix on as it is', async () => {
    const asked: string[] = [];
    const channels = async (prefix: string) => {
      asked.push(prefix);
      return new Map();
    };
    const { ask } = await api({ channels });
    await ask('/apps/one/channels?filter_by_prefix=presence-.*%20%5B');
    await ask('/apps/one/channels?filter_by_prefix=');
    await ask('/apps/one/channels');
    expect(asked).toEqual(['presence-.* [', '', '']);
    const twice = await ask('/apps/one/channels?filter_by_prefix=a&filter_by_prefix=b');
    expect(told(twice)).toEqual(refusal(400, 'filter_by_prefix must be given once', 'invalid_message'));
  });
});

describe('GET one channel', () => {
  const asked: ChannelName[] = [];
  const channel = async (name: ChannelName) => {
    asked.push(name);
    return name.kind === 'presence'
      ? { subscriptionCount: 0, occupied: true, userCount: 2 }
      : { subscriptionCount: 4, occupied: true };
  };

  it('tells its count, of a presence channel its users too', async () => {
    const { ask } = await api({ channel });
    expect((await ask('/apps/one/channels/news')).text).toBe('{"subscription_count":4,"occupied":true}');
    expect((await ask('/apps/one/channels/presence-chat:1')).text).toBe(
      '{"subscription_count":0,"occupied":true,"user_count":2}',
    );
    expect(asked.map((name) => name.wire)).toEqual(['news', 'presence-chat:1']);
  });

  it('knows nothing of an unknown one, and says so with 200', async () => {
    const { ask } = await api();
    expect(await ask('/apps/one/channels/unknown')).toMatchObject({
      status: 200,
      text: '{"subscription_count":0,"occupied":false}',
    });
    expect((await ask('/apps/one/channels/presence-unknown')).text).toBe(
      '{"subscription_count":0,"occupied":false,"user_count":0}',
    );
  });

  it('decodes the name in its path', async () => {
    asked.length = 0;
    const { ask } = await api({ channel });
    await ask('/apps/one/channels/private-a%2Fb%25c');
    expect(asked[0]?.wire).toBe('private-a/b%c');
  });

  it.each([
    'broadcast',
    'a%20b',
    '%23x',
    'private-',
    'laravel_database_x',
    'x'.repeat(201),
    '%00',
    'private-presence-x',
  ])('refuses %s, which no channel is called', async (name) => {
    const { ask } = await api();
    for (const path of [`/apps/one/channels/${name}`, `/apps/one/channels/${name}/users`])
      expect(told(await ask(path))).toEqual(refusal(400, expect.any(String), 'invalid_channel'));
  });

  it('refuses a name that cannot be decoded', async () => {
    const { ask } = await api();
    expect(told(await ask('/apps/one/channels/%zz'))).toMatchObject({
      status: 400,
      body: { code: 'invalid_message' },
    });
  });
});

describe("GET a channel's users", () => {
  it('spells ids and infos with the bytes that Laravel sent', async () => {
    const users = async (): Promise<Member[]> => [
      createMember({ userIdJson: '9223372036854775807', userInfoJson: '{"n":10.0,"a":[]}', socketId: '1.2' }),
      createMember({ userIdJson: '"u-1"', socketId: '3.4' }),
      createMember({ userIdJson: '0', userInfoJson: 'null', socketId: '5.6' }),
    ];
    const { ask } = await api({ users });
    const { status, text, headers } = await ask('/apps/one/channels/presence-chat:1/users');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(text).toBe(
      '{"users":[{"id":9223372036854775807,"user_info":{"n":10.0,"a":[]}},{"id":"u-1"},{"id":0,"user_info":null}]}',
    );
  });

  it('is an empty list where nobody is', async () => {
    const { ask } = await api();
    expect((await ask('/apps/one/channels/presence-x/users')).text).toBe('{"users":[]}');
  });

  it.each(['news', 'private-news', 'private-encrypted-news'])(
    'is refused for %s, no presence channel',
    async (name) => {
      const { ask } = await api();
      expect(told(await ask(`/apps/one/channels/${name}/users`))).toEqual(
        refusal(400, 'User list is only possible for Presence Channels', 'invalid_channel'),
      );
    },
  );
});

describe('POST events', () => {
  it('publishes to one channel', async () => {
    const { post, published } = await api();
    const res = await post({ channel: 'news', name: 'App\\Events\\Happened', data: { a: 1 } });
    expect([res.status, res.text]).toEqual([200, '{"message":"ok"}']);
    expect(published).toEqual([
      { wires: ['news'], event: 'App\\Events\\Happened', dataJson: '{"a":1}', socketId: null },
    ]);
  });

  it('publishes to several channels, each once, and leaves out a socket', async () => {
    const { post, published } = await api();
    const channels = ['news', 'private-a', 'news', 'presence-b', 'private-encrypted-c'];
    await post({ channel: 'ignored', channels, name: 'e', data: 'text', socket_id: '12.34' });
    await post({ channel: ['a', 'b'], name: 'e', data: 'text', socket_id: null });
    await post({ channels: 'a', name: 'e', data: 'text' });
    expect(published.map(({ wires, socketId }) => [wires, socketId])).toEqual([
      [['news', 'private-a', 'presence-b', 'private-encrypted-c'], '12.34'],
      [['a', 'b'], null],
      [['a'], null],
    ]);
  });

  it.each([
    ['a large number', '9223372036854775807', '9223372036854775807'],
    ['an object with its spelling', '{"b" : 10.0,"a":[],"10":{}}', '{"b" : 10.0,"a":[],"10":{}}'],
    ['an array', '[1,{"id":12345678901234567890}]', '[1,{"id":12345678901234567890}]'],
    ['zero', '0', '0'],
    ['false', 'false', 'false'],
    ['a plain string', '"hello, \\u00e9 \\/"', '"hello, \\u00e9 \\/"'],
    ['a string that is nearly JSON', '"{a:1}"', '"{a:1}"'],
    [
      'a string of JSON',
      '"{\\"id\\":9223372036854775807,\\"f\\":1.0}"',
      '{"id":9223372036854775807,"f":1.0}',
    ],
    ['a string of a JSON number', '"12345678901234567890"', '12345678901234567890'],
    ['a string of JSON null', '"null"', 'null'],
    ['a string of JSON with escapes', '"\\"\\\\u00e9\\""', '"\\u00e9"'],
    [
      'keys of the prototype',
      '{"__proto__":{"x":1},"constructor":2}',
      '{"__proto__":{"x":1},"constructor":2}',
    ],
  ])('passes data on byte for byte: %s', async (_case, data, expected) => {
    const { post, published } = await api();
    const res = await post(`{"data":${data} , "name":"e","channel":"news"}`);
    expect(res.status).toBe(200);
    expect(published[0]?.dataJson).toBe(expected);
  });

  it('takes the last of equal keys, as JSON.parse does, for the check and for the bytes', async () => {
    const { post, published } = await api();
    await post('{"data":{"a":{"data":3}},"channel":"a","name":"e","data":[1.0],"nested":{"data":2}}');
    expect(published[0]?.dataJson).toBe('[1.0]');
  });

  it.each([
    ['no channel', { name: 'e', data: {} }],
    ['no name', { channel: 'a', data: {} }],
    ['no data', { channel: 'a', name: 'e' }],
    ['null data', { channel: 'a', name: 'e', data: null }],
    ['empty data', { channel: 'a', name: 'e', data: '' }],
    ['an empty name', { channel: 'a', name: '', data: {} }],
    ['an empty channel', { channel: '', name: 'e', data: {} }],
    ['no channels', { channels: [], name: 'e', data: {} }],
    ['nothing', {}],
    ['everything in the prototype', '{"__proto__":{"channel":"a","name":"e","data":{}}}'],
  ])("says laravel-echo-server's words to %s", async (_case, body) => {
    const { post, published } = await api();
    expect(told(await post(body))).toEqual(refusal(400, MISSING, 'invalid_message'));
    expect(published).toEqual([]);
  });

  it.each([
    ['an empty body', ''],
    ['no JSON', '{'],
    ['JSON and more', '{} {}'],
    ['a form that says it is JSON', 'channel=a&name=e&data=x'],
    ['an array', []],
    ['an array of events', [{ channel: 'a', name: 'e', data: {} }]],
    ['null', null],
    ['a string', '"text"'],
    ['a number', 5],
    ['a name that is an object', { channel: 'a', name: { toString: 'e' }, data: {} }],
    ['a name that is a number', { channel: 'a', name: 5, data: {} }],
    ['a name that is an array', { channel: 'a', name: ['e'], data: {} }],
    ['a socket that is a number', { channel: 'a', name: 'e', data: {}, socket_id: 12.34 }],
    ['a socket that is an array', { channel: 'a', name: 'e', data: {}, socket_id: ['12.34'] }],
    ['101 channels', { channels: Array.from({ length: 101 }, (_, i) => `c${i}`), name: 'e', data: {} }],
    ['deep nesting', `{"data":${'['.repeat(4_000)}`],
  ])('refuses %s as invalid_message', async (_case, body) => {
    const { post, published, errors } = await api();
    expect(told(await post(body))).toEqual(refusal(400, expect.any(String), 'invalid_message'));
    expect(published).toEqual([]);
    expect(errors()).toEqual([]);
  });

  it.each([
    ['a number', { channel: 5 }],
    ['true', { channel: true }],
    ['an object', { channel: { name: 'a' } }],
    ['a reserved name', { channel: 'broadcast' }],
    ['a name with white space', { channel: 'a b' }],
    ['a name with two prefixes', { channel: 'private-presence-a' }],
    ["another program's key", { channel: 'laravel_database_a' }],
    ['a good one and a bad one', { channels: ['a', null] }],
    ['arrays in the array', { channels: [['a']] }],
    ['an empty one among them', { channels: ['a', ''] }],
  ])('refuses %s as invalid_channel', async (_case, channels) => {
    const { post, published } = await api();
    const res = await post({ ...channels, name: 'e', data: {} });
    expect(told(res)).toEqual(refusal(400, expect.any(String), 'invalid_channel'));
    expect(published).toEqual([]);
  });

  it('takes 100 channels', async () => {
    const { post, published } = await api();
    await post({ channels: Array.from({ length: 100 }, (_, i) => `c${i}`), name: 'e', data: {} });
    expect(published[0]?.wires).toHaveLength(100);
  });

  it.each([
    null,
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON;charset="UTF-8"',
    'application/vnd.api+json',
  ])('takes JSON of the type %s', async (contentType) => {
    const { post } = await api();
    expect((await post({ channel: 'a', name: 'e', data: {} }, contentType)).status).toBe(200);
  });

  it.each([
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/plain;charset=UTF-8',
    'text/json',
    'application/json; charset=iso-8859-1',
    'application/json, text/plain',
    'rubbish',
    '',
  ])('refuses the type %j', async (contentType) => {
    const { post, published } = await api();
    expect(told(await post({ channel: 'a', name: 'e', data: {} }, contentType))).toEqual(
      refusal(415, 'the body must be JSON in UTF-8', 'unsupported_media_type'),
    );
    expect(published).toEqual([]);
  });

  it('refuses bytes that are no UTF-8', async () => {
    const { ask, published } = await api();
    const body = Buffer.concat([
      Buffer.from('{"channel":"a","name":"e","data":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}'),
    ]);
    const headers = { 'content-type': 'application/json' };
    const res = await ask('/apps/one/events', { method: 'POST', body, headers });
    expect(told(res)).toEqual(refusal(400, 'the body is not JSON', 'invalid_message'));
    expect(published).toEqual([]);
  });

  it('refuses a body over its size, packed or not', async () => {
    const { post, ask, published, errors } = await api();
    const body = JSON.stringify({ channel: 'a', name: 'e', data: 'x'.repeat(10_000) });
    const tooLarge = refusal(413, 'the body is too large', 'too_large');
    expect(told(await post(body))).toEqual(tooLarge);
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    expect(told(await ask('/apps/one/events', { method: 'POST', body: gzipSync(body), headers }))).toEqual(
      tooLarge,
    );
    const small = gzipSync('{"channel":"a","name":"e","data":[1.0]}');
    expect((await ask('/apps/one/events', { method: 'POST', body: small, headers })).status).toBe(200);
    expect(published).toHaveLength(1);
    expect(errors()).toEqual([]);
  });

  it('is refused to everybody where publishing is turned off, reading is not', async () => {
    const { ask, post, published } = await api({}, undefined, false);
    const { status, text } = await post({ channel: 'a', name: 'b', data: {} });
    expect({ status, body: JSON.parse(text) }).toEqual(
      refusal(403, expect.stringContaining('YAMABIKO_HTTP_EVENTS'), 'forbidden'),
    );
    expect(published).toEqual([]);
    expect((await ask('/apps/one/status')).status).toBe(200);
  });

  it('is a path for POST alone', async () => {
    const { ask } = await api();
    expect(told(await ask('/apps/one/events'))).toEqual(refusal(404, 'not found', 'not_found'));
    expect((await ask('/apps/one/status', { method: 'POST' })).status).toBe(404);
  });
});

describe('where Redis is away', () => {
  const away = () => Promise.reject(new UnavailableError('redis://10.0.0.5 refused'));

  it.each([
    '/apps/one/status',
    '/apps/one/channels',
    '/apps/one/channels/news',
    '/apps/one/channels/presence-x/users',
  ])('%s is unavailable', async (path) => {
    const { ask, errors } = await api({ status: away, channels: away, channel: away, users: away });
    expect(told(await ask(path))).toEqual(refusal(503, 'not able to serve now, try later', 'unavailable'));
    expect(errors()).toEqual([]);
  });

  it('so are events', async () => {
    const { post } = await api({}, away);
    const res = await post({ channel: 'a', name: 'e', data: {} });
    expect(told(res)).toEqual(refusal(503, 'not able to serve now, try later', 'unavailable'));
  });
});

import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LaravelAccess, type LaravelSettings } from '../../../server/access/laravel-access.ts';
import { FakeLaravel } from './fake-laravel.ts';
import { question } from './questions.ts';
import { SELF_SIGNED } from './self-signed.ts';

let laravel: FakeLaravel;
let access: LaravelAccess;
const logged: unknown[] = [];
const outcomes: string[] = [];

function build(url: string, more: Partial<LaravelSettings> = {}): LaravelAccess {
  const settings = {
    authUrl: url,
    timeoutMs: 5000,
    maxBodyBytes: 262_144,
    concurrency: 50,
    maxQueued: 10_000,
    queueTimeoutMs: 5000,
    cacheMs: 0,
    breaker: { failures: 0, pauseMs: 1000 },
  };
  const log = (...entry: unknown[]) => void logged.push(entry);
  return new LaravelAccess(
    { ...settings, ...more },
    {
      logger: { warn: log, info: log },
      onRequest: (outcome) => outcomes.push(outcome),
      onCached: () => outcomes.push('cached'),
    },
  );
}

beforeEach(async () => {
  logged.length = 0;
  outcomes.length = 0;
  laravel = await FakeLaravel.start();
  access = build(laravel.url);
});

afterEach(async () => {
  expect(access.pending, 'questions left under way').toBe(0);
  await access.stop();
  await laravel.stop();
});

const user = (userIdJson: string, userInfoJson?: string) =>
  userInfoJson === undefined ? { userIdJson } : { userIdJson, userInfoJson };

describe('what is sent', () => {
  test('channel name and socket id go form-encoded to the configured URL', async () => {
    await access.decide(question('private-orders:1,é&x=2'));
    const [asked] = laravel.asked;
    expect(asked).toMatchObject({ method: 'POST', url: '/broadcasting/auth?x=1' });
    expect(asked?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(Object.fromEntries(new URLSearchParams(asked?.body))).toEqual({
      channel_name: 'private-orders:1,é&x=2',
      socket_id: '12.34',
    });
  });

  test('the handshake names cookie, agent and address; the client adds headers of its own', async () => {
    await access.decide(
      question('private-a', { headers: { Authorization: 'Bearer abc', 'X-CSRF-TOKEN': 5 } }),
    );
    expect(laravel.asked[0]?.headers).toMatchObject({
      authorization: 'Bearer abc',
      'x-csrf-token': '5',
      cookie: 'laravel_session=abc',
      'user-agent': 'Browser/1',
      'x-forwarded-for': '203.0.113.9',
      accept: 'application/json',
      'x-requested-with': 'XMLHttpRequest',
    });
  });

  test.each([
    'Host',
    'Connection',
    'Keep-Alive',
    'Transfer-Encoding',
    'TE',
    'Trailer',
    'Upgrade',
    'Proxy-Authorization',
    'Proxy',
    'Content-Length',
    'Content-Type',
    'Content-Encoding',
    'Cookie',
    'X-Requested-With',
    'X-Forwarded-For',
    'x-forwarded-host',
    'X_Forwarded_For',
    'X_FORWARDED_PROTO',
    'Forwarded',
    'Expect',
    'X-Real-IP',
    'User-Agent',
    'Accept',
    'Accept-Encoding',
    'X-HTTP-Method-Override',
    'X-Original-URL',
  ])('a client cannot set %s', async (name) => {
    expect(await access.decide(question('private-a', { headers: { [name]: 'evil' } }))).toMatchObject({
      ok: true,
    });
    expect(laravel.asked[0]?.rawHeaders.join('\n')).not.toContain('evil');
    expect(laravel.asked[0]?.headers.host).toMatch(/^127\.0\.0\.1:/);
  });

  test.each<[string, unknown]>([
    ['CR and LF in a value', { X: 'a\r\nevil: 1' }],
    ['a bare LF in a value', { X: 'a\nevil: 1' }],
    ['NUL in a value', { X: 'evil\0' }],
    ['a value beyond Latin-1', { X: 'evil\u{1f600}' }],
    ['a name with a line break', { 'X\r\nevil': '1' }],
    ['a name with a space', { 'X evil': '1' }],
    ['an object as value', { evil: { a: 1 } }],
    ['an array as value', { evil: ['1'] }],
    ['null as value', { evil: null }],
    ['a boolean as value', { evil: true }],
    ['headers that are an array', ['evil']],
    ['headers that are a string', 'evil'],
    ['a prototype', JSON.parse('{"__proto__":{"evil":"1"}}')],
  ])('%s is not sent', async (_, headers) => {
    expect(await access.decide(question('private-a', { headers }))).toMatchObject({ ok: true });
    expect(laravel.asked[0]?.rawHeaders.join('\n')).not.toContain('evil');
  });

  test.each([null, undefined, 5, 'x', [], true])('auth of the wrong type (%j) is as none', async (auth) => {
    expect(await access.decide(question('private-a', auth))).toMatchObject({ ok: true });
  });

  test('headers that a prototype holds were not sent by the client', async () => {
    const auth = Object.create({ headers: { evil: '1' } }) as object;
    await access.decide(question('private-a', auth));
    expect(laravel.asked[0]?.headers).not.toHaveProperty('evil');
  });

  test('too many headers, or too long ones, are refused unasked', async () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`X-${i}`, '1']));
    for (const headers of [many, { X: 'a'.repeat(20_000) }])
      expect(await access.decide(question('private-a', { headers }))).toMatchObject({ code: 'too_large' });
    expect(laravel.asked).toHaveLength(0);
  });

  test('a public name is not asked about', async () => {
    expect(await access.decide(question('news'))).toBeNull();
    expect(laravel.asked).toHaveLength(0);
  });
});

describe('a yes', () => {
  test.each<[string, string, string, object | null]>([
    ['true', 'private-a', 'true', null],
    ['true with white space', 'private-a', ' true\n', null],
    ['true, encrypted', 'private-encrypted-a', 'true', null],
    ['channel_data, private', 'private-a', '{"channel_data":{"user_id":1,"user_info":1}}', user('1', '1')],
    ['channel_data without an id, private', 'private-a', '{"channel_data":{"user_id":null}}', null],
    ["pusher's signature, private", 'private-a', '{"auth":"KEY:ab"}', null],
    [
      'channel_data, presence',
      'presence-a',
      '{"channel_data":{"user_id":1,"user_info":{"id":1,"name":"alice"}}}',
      user('1', '{"id":1,"name":"alice"}'),
    ],
    ['user 0', 'presence-a', '{"channel_data":{"user_id":0}}', user('0')],
    [
      'a string id',
      'presence-a',
      '{"channel_data":{"user_id":"u-1","user_info":null}}',
      user('"u-1"', 'null'),
    ],
    [
      'texts that parsing would break',
      'presence-a',
      '{"channel_data": {"user_info":{"b":10.0,"a":[],"c":{}}, "user_id":9223372036854775807}}',
      user('9223372036854775807', '{"b":10.0,"a":[],"c":{}}'),
    ],
    [
      'channel_data as a string of JSON',
      'presence-a',
      JSON.stringify({ auth: 'KEY:ab', channel_data: '{"user_id":"1","user_info":{"n":10.0}}' }),
      user('"1"', '{"n":10.0}'),
    ],
  ])('%s', async (_, wire, body, expected) => {
    laravel.answersJson(body);
    const kind = wire.startsWith('presence')
      ? 'presence'
      : wire.includes('encrypted')
        ? 'encrypted'
        : 'private';
    expect(await access.decide(question(wire))).toEqual({
      ok: true,
      kind,
      by: 'laravel',
      channel: question(wire).channel,
      user: expected,
      expiresAtMs: null,
    });
    expect(outcomes).toEqual(['granted']);
  });
});

describe('a 200 that is no yes', () => {
  test.each<[string, string]>([
    ['private-a', 'false'],
    ['presence-a', 'false'],
  ])('%s: false is a refusal with 403', async (wire, body) => {
    laravel.answersJson(body);
    expect(await access.decide(question(wire))).toMatchObject({ ok: false, code: 'forbidden', status: 403 });
  });

  test.each<[string, string]>([
    ['private-a', ''],
    ['private-a', '<html>Login</html>'],
    ['private-a', '{"channel_data":'],
    ['private-a', 'null'],
    ['private-a', '1'],
    ['private-a', '"true"'],
    ['private-a', '[]'],
    ['private-a', '[true]'],
    ['private-a', '{}'],
    ['private-a', '{"auth":""}'],
    ['private-a', '{"auth":1}'],
    ['private-a', '{"channel_data":null}'],
    ['private-a', '{"channel_data":"garbage"}'],
    ['private-a', '{"message":"ok"}'],
    ['presence-a', 'true'],
    ['presence-a', '{"auth":"KEY:ab"}'],
    ['presence-a', '{"channel_data":{}}'],
    ['presence-a', '{"channel_data":[]}'],
    ['presence-a', '{"channel_data":{"user_id":null,"user_info":{}}}'],
    ['presence-a', '{"channel_data":{"user_id":""}}'],
    ['presence-a', '{"channel_data":{"user_id":true}}'],
    ['presence-a', '{"channel_data":{"user_id":{"a":1}}}'],
    ['presence-a', '{"channel_data":{"user_id":[1]}}'],
    ['presence-a', '{"channel_data":"{\\"user_id\\":"}'],
    ['presence-a', '{"user_id":1}'],
  ])('%s: %s', async (wire, body) => {
    laravel.answersJson(body);
    expect(await access.decide(question(wire))).toMatchObject({ ok: false, code: 'auth_error', status: 502 });
    expect(laravel.asked).toHaveLength(1);
  });

  test('an answer beyond the cap is not read to its end', async () => {
    await access.stop();
    access = build(laravel.url, { maxBodyBytes: 1000 });
    laravel.answers((response) => {
      const pour = (): void => void (response.destroyed || response.write(' '.repeat(65_536), pour));
      pour();
    });
    expect(await access.decide(question('private-a'))).toMatchObject({ code: 'auth_error', status: 502 });
    await vi.waitFor(() => expect(laravel.closedEarly).toBe(1));
  });

  test('a refusal with a page beyond the cap is still a refusal', async () => {
    await access.stop();
    access = build(laravel.url, { maxBodyBytes: 1000 });
    laravel.answersJson(' '.repeat(200_000), 403);
    expect(await access.decide(question('private-a'))).toMatchObject({ code: 'forbidden', status: 403 });
  });

  test('a redirect is not followed', async () => {
    laravel.answers((response) => response.writeHead(302, { location: laravel.url }).end());
    expect(await access.decide(question('private-a'))).toMatchObject({ code: 'auth_error', status: 502 });
    expect(laravel.asked).toHaveLength(1);
  });

  test.each([201, 204])('status %i', async (status) => {
    laravel.answersJson('true', status);
    expect(await access.decide(question('private-a'))).toMatchObject({ code: 'auth_error', status: 502 });
  });
});

describe('a no', () => {
  test.each([400, 401, 403, 404, 419, 422])(
    "%i is passed on as Laravel's own, asked once",
    async (status) => {
      laravel.answersJson('{"message":""}', status);
      expect(await access.decide(question('private-a'))).toMatchObject({
        ok: false,
        code: 'forbidden',
        status,
      });
      expect(laravel.asked).toHaveLength(1);
      expect(outcomes).toEqual(['forbidden']);
    },
  );

  test('neither log nor answer holds cookie or token', async () => {
    laravel.answersJson('laravel_session=abc', 403);
    const answer = await access.decide(
      question('private-a', { headers: { Authorization: 'Bearer s3cret' } }),
    );
    expect(logged).toHaveLength(1);
    expect(JSON.stringify([answer, logged])).not.toMatch(/s3cret|laravel_session|abc/);
  });
});

describe('a passing fault', () => {
  test.each([429, 500, 503])('%i once, then yes', async (status) => {
    laravel.answers((response, _, nth) => response.writeHead(nth === 1 ? status : 200).end('true'));
    expect(await access.decide(question('private-a'))).toMatchObject({ ok: true });
    expect(laravel.asked).toHaveLength(2);
  });

  test('503 twice, then yes', async () => {
    laravel.answers((response, _, nth) => response.writeHead(nth < 3 ? 503 : 200).end('true'));
    expect(await access.decide(question('private-a'))).toMatchObject({ ok: true });
  });

  test('the last status is told, never as 403', async () => {
    laravel.answers((response, _, nth) => response.writeHead(nth < 3 ? 503 : 429).end());
    expect(await access.decide(question('private-a'))).toMatchObject({ code: 'auth_error', status: 429 });
    expect(laravel.asked).toHaveLength(3);
    expect(outcomes).toEqual(['error']);
  });

  test('a connection that is reset is tried again', async () => {
    laravel.answers((response, request, nth) =>
      nth === 1 ? request.socket.destroy() : response.end('true'),
    );
    expect(await access.decide(question('private-a'))).toMatchObject({ ok: true });
  });

  test('a connection that is always reset is no answer: status 0', async () => {
    laravel.answers((_, request) => request.socket.destroy());
    expect(await access.decide(question('private-a'))).toMatchObject({ code: 'auth_error', status: 0 });
    expect(laravel.asked).toHaveLength(3);
  });

  test('nobody listens: status 0', async () => {
    const gone = await FakeLaravel.start();
    const { url } = gone;
    await gone.stop();
    await access.stop();
    access = build(url);
    expect(await access.decide(question('private-a'))).toMatchObject({ code: 'auth_error', status: 0 });
  });

  test('a certificate that nobody vouches for: status 0, and nothing is sent', async () => {
    let asked = 0;
    const server = createServer(SELF_SIGNED, (_, response) => {
      asked++;
      response.end('true');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await access.stop();
    access = build(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    expect(await access.decide(question('private-a'))).toMatchObject({ code: 'auth_error', status: 0 });
    expect(JSON.stringify(logged)).toContain('SELF_SIGNED');
    expect(asked).toBe(0);
    server.close();
  });

  test('Retry-After that does not fit is not waited for', async () => {
    laravel.answers((response) => response.writeHead(429, { 'retry-after': '3600' }).end());
    expect(await access.decide(question('private-a'))).toMatchObject({ code: 'auth_error', status: 429 });
    expect(laravel.asked).toHaveLength(1);
  });

  test('Retry-After that fits is waited for', async () => {
    const times: number[] = [];
    laravel.answers((response, _, nth) => {
      times.push(performance.now());
      response.writeHead(nth === 1 ? 429 : 200, { 'retry-after': '1' }).end('true');
    });
    expect(await access.decide(question('private-a'))).toMatchObject({ ok: true });
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(990);
  });
});

describe('the time limit', () => {
  beforeEach(async () => {
    await access.stop();
    access = build(laravel.url, { timeoutMs: 300, concurrency: 1 });
  });

  test.each<[string, Parameters<FakeLaravel['answers']>[0]]>([
    ['an endpoint that hangs', () => undefined],
    ['a body that never ends', (response) => response.writeHead(200).write('tr')],
    ['retries that take too long', (response) => setTimeout(() => response.writeHead(503).end(), 250)],
  ])('ends %s', async (_, behaviour) => {
    laravel.answers(behaviour);
    expect(await access.decide(question('private-a'))).toMatchObject({ code: 'auth_error' });
  });

  test('counts from the turn on: who had to wait has his whole time', async () => {
    laravel.answers((response) => setTimeout(() => response.end('true'), 120));
    const answers = await Promise.all(
      ['a', 'b', 'c', 'd'].map((x) => access.decide(question(`private-${x}`))),
    );
    for (const answer of answers) expect(answer).toMatchObject({ ok: true });
  });

  test('of the wait for a turn: then one is refused, and told when to come back', async () => {
    await access.stop();
    access = build(laravel.url, { concurrency: 1, queueTimeoutMs: 100 });
    let end = () => {};
    laravel.answers((response) => (end = () => response.end('true')));
    const first = access.decide(question('private-a'));
    expect(await access.decide(question('private-b'))).toMatchObject({
      code: 'unavailable',
      status: 503,
      retryAfterMs: expect.any(Number),
    });
    expect(laravel.asked).toHaveLength(1);
    expect(access.waiting).toBe(0);
    end();
    expect(await first).toMatchObject({ ok: true });
  });
});

describe('many questions', () => {
  test('no more than so many are asked at a time, and only so many wait', async () => {
    await access.stop();
    access = build(laravel.url, { concurrency: 2, maxQueued: 1 });
    const waiting: (() => void)[] = [];
    laravel.answers((response) => waiting.push(() => response.end('true')));
    const answers = ['a', 'b', 'c', 'd'].map((x) => access.decide(question(`private-${x}`)));
    expect(await answers[3]).toMatchObject({
      code: 'unavailable',
      status: 503,
      retryAfterMs: expect.any(Number),
    });
    await laravel.arrived(2);
    expect(access.waiting).toBe(1);
    expect(laravel.asked).toHaveLength(2);
    waiting.shift()?.();
    await laravel.arrived(3);
    for (const end of waiting) end();
    expect(await Promise.all(answers.slice(0, 3))).toMatchObject([{ ok: true }, { ok: true }, { ok: true }]);
  });

  test('identical ones in flight are one request, whatever their socket id', async () => {
    let end = () => {};
    laravel.answers((response) => (end = () => response.end('true')));
    const answers = ['1.1', '2.2', '3.3'].map((socketId) =>
      access.decide(question('private-a', {}, { socketId })),
    );
    await laravel.arrived(1);
    end();
    expect(await Promise.all(answers)).toMatchObject([{ ok: true }, { ok: true }, { ok: true }]);
    expect(laravel.asked).toHaveLength(1);
    expect(outcomes).toEqual(['granted']);
    laravel.answersJson('true');
    await access.decide(question('private-a'));
    expect(laravel.asked, 'an answer is not kept').toHaveLength(2);
  });

  test.each([
    ['channel', question('private-b')],
    ['bearer', question('private-a', { headers: { Authorization: 'Bearer other' } })],
    ['cookie', question('private-a', {}, { handshake: { cookie: 'other' } })],
    ['agent', question('private-a', {}, { handshake: { userAgent: 'other' } })],
    ['address', question('private-a', {}, { handshake: { address: '203.0.113.10' } })],
  ])('another %s is another question', async (_, other) => {
    const [mine, theirs] = await Promise.all([access.decide(question('private-a')), access.decide(other)]);
    expect([mine, theirs]).toMatchObject([{ ok: true }, { ok: true }]);
    expect(laravel.asked).toHaveLength(2);
  });

  test('who leaves stops waiting; the request goes on for the others', async () => {
    let end = () => {};
    laravel.answers((response) => (end = () => response.end('true')));
    const leaver = new AbortController();
    const left = access.decide(question('private-a', {}, { signal: leaver.signal }));
    const stays = access.decide(question('private-a'));
    await laravel.arrived(1);
    leaver.abort();
    expect(await left).toMatchObject({ ok: false, code: 'cancelled' });
    end();
    expect(await stays).toMatchObject({ ok: true });
    expect(laravel.asked).toHaveLength(1);
  });

  test('when all have left the request is broken off', async () => {
    laravel.answers(() => undefined);
    const leaver = new AbortController();
    const left = access.decide(question('private-a', {}, { signal: leaver.signal }));
    await laravel.arrived(1);
    leaver.abort();
    expect(await left).toMatchObject({ code: 'cancelled' });
    await vi.waitFor(() => expect(laravel.closedEarly).toBe(1));
    await vi.waitFor(() => expect(outcomes).toEqual(['cancelled']));
    laravel.answersJson('true');
    expect(await access.decide(question('private-a')), 'who comes next asks anew').toMatchObject({
      ok: true,
    });
  });

  test('who leaves the row gives up his place in it', async () => {
    await access.stop();
    access = build(laravel.url, { concurrency: 1, maxQueued: 1 });
    const waiting: (() => void)[] = [];
    laravel.answers((response) => waiting.push(() => response.end('true')));
    const first = access.decide(question('private-a'));
    await laravel.arrived(1);
    for (let i = 0; i < 20; i++) {
      const leaver = new AbortController();
      const left = access.decide(question(`private-left-${i}`, {}, { signal: leaver.signal }));
      leaver.abort();
      expect(await left, 'the one place was free again').toMatchObject({ code: 'cancelled' });
    }
    const second = access.decide(question('private-b'));
    waiting.shift()?.();
    await laravel.arrived(2);
    waiting.shift()?.();
    expect(await Promise.all([first, second])).toMatchObject([{ ok: true }, { ok: true }]);
    expect(laravel.asked).toHaveLength(2);
  });

  test('one who asks for a thousand channels does not hold up another', async () => {
    await access.stop();
    access = build(laravel.url, { concurrency: 1 });
    laravel.answersJson('true');
    const many = Array.from({ length: 50 }, (_, i) =>
      access.decide(question(`private-many-${i}`, {}, { socketId: '6.66' })),
    );
    const one = access.decide(question('private-one', {}, { socketId: '1.1' }));
    await Promise.all([...many, one]);
    const place = laravel.asked.findIndex(({ body }) => body.includes('private-one'));
    expect(place).toBeLessThanOrEqual(2);
  });

  test('who has left before asking asks nothing', async () => {
    expect(await access.decide(question('private-a', {}, { signal: AbortSignal.abort() }))).toMatchObject({
      code: 'cancelled',
    });
    expect(laravel.asked).toHaveLength(0);
  });
});

describe('a Laravel that gives no sign of life', () => {
  const pauseMs = 200;

  /** So many questions, one after the other: how each ended. */
  async function codesOf(count: number, name: string): Promise<(string | undefined)[]> {
    const codes: (string | undefined)[] = [];
    for (let i = 0; i < count; i++) {
      const answer = await access.decide(question(`private-${name}-${i}`));
      codes.push(answer?.ok === false ? answer.code : 'ok');
    }
    return codes;
  }

  beforeEach(async () => {
    await access.stop();
    access = build(laravel.url, { timeoutMs: 150, concurrency: 2, breaker: { failures: 3, pauseMs } });
  });

  test.each<[string, Parameters<FakeLaravel['answers']>[0]]>([
    ['hangs', () => undefined],
    ['resets connections', (_, request) => request.socket.destroy()],
    ['stands behind a gateway that says 502', (response) => response.writeHead(502).end()],
    ['says 503', (response) => response.writeHead(503).end()],
    ['stands behind a gateway that says 504', (response) => response.writeHead(504).end()],
  ])('and %s is asked no more for a while', async (_, behaviour) => {
    laravel.answers(behaviour);
    expect(await codesOf(3, 'early')).toEqual(Array(3).fill('auth_error'));
    const asked = laravel.asked.length;
    const refusal = await access.decide(question('private-late'));
    expect(refusal).toMatchObject({ code: 'unavailable', status: 503, retryAfterMs: expect.any(Number) });
    expect(laravel.asked, 'and nothing was sent').toHaveLength(asked);
    expect(access.isGivenUp).toBe(true);
    expect(logged.filter((entry) => JSON.stringify(entry).includes('left alone'))).toHaveLength(1);
  });

  test('those who wait are refused together, instead of each for his time limit', async () => {
    laravel.answers(() => undefined);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => access.decide(question(`private-${i}`))),
    );
    const codes = answers.map((answer) => (answer?.ok === false ? answer.code : 'ok'));
    expect(codes.filter((code) => code === 'auth_error').length).toBeLessThanOrEqual(4);
    expect(codes.filter((code) => code === 'unavailable').length).toBeGreaterThanOrEqual(96);
  });

  test.each([403, 404, 419, 429, 500])('is not one that answers %i', async (status) => {
    laravel.answers((response) => response.writeHead(status, { 'retry-after': '3600' }).end());
    await codesOf(6, 'x');
    expect(access.isGivenUp).toBe(false);
    expect(laravel.asked.length).toBeGreaterThanOrEqual(6);
  });

  test('is given up only after failures in a row', async () => {
    laravel.answers((response, request) =>
      /x-[25]\b/.test(laravel.asked.at(-1)?.body ?? '') ? response.end('true') : request.socket.destroy(),
    );
    expect((await codesOf(8, 'x')).filter((code) => code === 'ok')).toHaveLength(2);
    expect(access.isGivenUp).toBe(false);
  });

  test('is tried by one question after the pause: if it answers all are let through again', async () => {
    laravel.answers(() => undefined);
    await codesOf(3, 'early');
    await vi.waitFor(
      async () => {
        laravel.answersJson('true');
        expect(await access.decide(question('private-a'))).toMatchObject({ ok: true });
      },
      { timeout: 5000 },
    );
    expect(access.isGivenUp).toBe(false);
    expect(await codesOf(3, 'late')).toEqual(['ok', 'ok', 'ok']);
    expect(JSON.stringify(logged)).toContain('Laravel answers again');
  });

  test('stays given up where that one fails too, and only one was asked', async () => {
    laravel.answers(() => undefined);
    await codesOf(3, 'early');
    const asked = laravel.asked.length;
    await new Promise((resolve) => setTimeout(resolve, pauseMs + 20));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => access.decide(question(`private-${i}`))),
    );
    const codes = answers.map((answer) => (answer?.ok === false ? answer.code : 'ok'));
    expect(codes.filter((code) => code === 'auth_error')).toHaveLength(1);
    expect(codes.filter((code) => code === 'unavailable')).toHaveLength(19);
    expect(laravel.asked).toHaveLength(asked + 1);
    expect(access.isGivenUp).toBe(true);
  });

  test('whose question nobody waits for any more tells nothing: strangers who hang up give up nobody', async () => {
    laravel.answers(() => undefined);
    for (let i = 0; i < 6; i++) {
      const leaver = new AbortController();
      const left = access.decide(question(`private-${i}`, {}, { signal: leaver.signal }));
      await laravel.arrived(i + 1);
      leaver.abort();
      await left;
    }
    expect(access.isGivenUp).toBe(false);
  });
});

describe('a kept yes', () => {
  beforeEach(async () => {
    await access.stop();
    access = build(laravel.url, { cacheMs: 60_000 });
  });

  test('answers the same question, whatever the socket id', async () => {
    laravel.answersJson('{"channel_data":{"user_id":1,"user_info":{"id":1}}}');
    const [first, second] = [
      await access.decide(question('presence-a', {}, { socketId: '1.1' })),
      await access.decide(question('presence-a', {}, { socketId: '2.2' })),
    ];
    expect(first).toMatchObject({ ok: true, user: user('1', '{"id":1}') });
    expect(second).toEqual(first);
    expect(laravel.asked).toHaveLength(1);
    expect(outcomes).toEqual(['granted', 'cached']);
  });

  test.each([
    ['channel', question('private-b')],
    ['kind of channel', question('presence-a')],
    ['bearer', question('private-a', { headers: { Authorization: 'Bearer other' } })],
    ['header of the app', question('private-a', { headers: { 'X-Tenant': '2' } })],
    ['cookie', question('private-a', {}, { handshake: { cookie: 'other' } })],
    ['no cookie', question('private-a', {}, { handshake: { cookie: undefined } })],
    ['agent', question('private-a', {}, { handshake: { userAgent: 'other' } })],
    ['address', question('private-a', {}, { handshake: { address: '203.0.113.10' } })],
  ])('answers nobody with another %s', async (_, other) => {
    await access.decide(question('private-a'));
    await access.decide(other);
    expect(laravel.asked).toHaveLength(2);
  });

  test('is never made of a no, or of what is no answer', async () => {
    for (const [body, status] of [
      ['', 403],
      ['false', 200],
      ['garbage', 200],
      ['', 404],
    ] as const) {
      laravel.answersJson(body, status);
      await access.decide(question('private-a'));
    }
    laravel.answersJson('true');
    expect(await access.decide(question('private-a'))).toMatchObject({ ok: true });
    expect(laravel.asked).toHaveLength(5);
  });

  test('ends', async () => {
    await access.stop();
    access = build(laravel.url, { cacheMs: 30 });
    await access.decide(question('private-a'));
    await new Promise((resolve) => setTimeout(resolve, 40));
    await access.decide(question('private-a'));
    expect(laravel.asked).toHaveLength(2);
  });
});

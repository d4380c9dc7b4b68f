import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { claimedChannel, type TokenSettings, TokenVerifier } from '../../../server/access/token-verifier.ts';
import { RESERVED } from './questions.ts';

const SECRET = 'a-secret-of-the-tests-with-32-bytes';
const NOW_MS = 1_800_000_000_500;
const NOW_S = 1_800_000_000;
const CLAIMS = { id: 7, name: 'Alice', channel: 'chat:room1', iat: NOW_S - 10, exp: NOW_S + 60 };

const SETTINGS: TokenSettings = {
  secrets: [SECRET],
  publicKeys: [],
  jwksUrl: null,
  jwksAlgorithms: ['RS256', 'ES256', 'EdDSA'],
  clockToleranceMs: 5000,
  enforceExpiry: true,
};

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();

const verifier = (more: Partial<TokenSettings> = {}) => new TokenVerifier({ ...SETTINGS, ...more }, RESERVED);
const verify = (token: unknown, more: Partial<TokenSettings> = {}) => verifier(more).verify(token, NOW_MS);

const encode = (part: unknown) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

function hs256(
  payload: unknown,
  header: unknown = { typ: 'JWT', alg: 'HS256' },
  secret: string | Buffer = SECRET,
): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

function signed(
  alg: 'RS256' | 'ES256' | 'EdDSA',
  key: KeyObject,
  header: object = {},
  payload: unknown = CLAIMS,
): string {
  const input = `${encode({ alg, ...header })}.${encode(payload)}`;
  const digest = alg === 'EdDSA' ? null : 'sha256';
  const signature = sign(digest, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

const without = (claim: string) =>
  Object.fromEntries(Object.entries(CLAIMS).filter(([key]) => key !== claim));

describe('a good token', () => {
  test('gives its claims, in milliseconds', async () => {
    expect(await verify(hs256(CLAIMS))).toEqual({
      ok: true,
      claims: {
        id: 7,
        name: 'Alice',
        channel: 'chat:room1',
        iatMs: (NOW_S - 10) * 1000,
        expiresAtMs: (NOW_S + 60) * 1000,
      },
    });
  });

  test("may be written as PHP's json_encode writes", async () => {
    const payload = `{"id":7,"name":"Za\\u017c\\u00f3\\u0142\\u0107 \\"\\/\\"","channel":"chat:a\\/b","iat":${NOW_S},"exp":${NOW_S + 60}}`;
    const token = hs256(payload, '{"typ":"JWT","alg":"HS256"}');
    expect(await verify(token)).toMatchObject({
      ok: true,
      claims: { name: 'Zażółć "/"', channel: 'chat:a/b' },
    });
  });

  test('may have a fraction in exp and iat', async () => {
    const token = hs256({ ...CLAIMS, iat: NOW_S - 0.5, exp: NOW_S + 0.25 });
    expect(await verify(token)).toMatchObject({ ok: true, claims: { expiresAtMs: NOW_S * 1000 + 250 } });
  });

  test('may be over, or from the future, by less than the tolerance', async () => {
    expect(await verify(hs256({ ...CLAIMS, exp: NOW_S - 4 }))).toMatchObject({ ok: true });
    expect(await verify(hs256({ ...CLAIMS, iat: NOW_S + 5 }))).toMatchObject({ ok: true });
  });

  test('may be signed by any of several secrets', async () => {
    const secrets = ['new-secret', SECRET];
    expect(await verify(hs256(CLAIMS), { secrets })).toMatchObject({ ok: true });
    expect(await verify(hs256(CLAIMS, undefined, 'new-secret'), { secrets })).toMatchObject({ ok: true });
    expect(await verify(hs256({ ...CLAIMS, exp: NOW_S - 60 }), { secrets })).toMatchObject({
      code: 'token_expired',
    });
  });

  test.each([
    ['RS256', rsa],
    ['ES256', ec],
    ['EdDSA', ed],
  ] as const)('may be signed with %s, by PEM', async (algorithm, { publicKey, privateKey }) => {
    const publicKeys = [rsa, ec, ed].map((pair) => pem(pair.publicKey));
    expect(await verify(signed(algorithm, privateKey), { publicKeys })).toMatchObject({ ok: true });
    expect(await verify(signed(algorithm, privateKey), { publicKeys: [pem(publicKey)] })).toMatchObject({
      ok: true,
    });
    expect(await verify(signed(algorithm, privateKey))).toMatchObject({ code: 'token_invalid' });
  });
});

describe('a bad token', () => {
  test.each([undefined, null, ''])('%j is missing', async (token) => {
    expect(await verify(token)).toMatchObject({ ok: false, code: 'token_missing', status: 401 });
  });

  test.each<[string, unknown]>([
    ['a number', 5],
    ['an object', { toString: () => hs256(CLAIMS) }],
    ['an array', [hs256(CLAIMS)]],
    ['true', true],
    ['garbage', 'garbage'],
    ['dots', '..'],
    ['five parts', `${hs256(CLAIMS)}.a.b`],
    ['no signature', hs256(CLAIMS).replace(/[^.]+$/, '')],
    ['a cut signature', hs256(CLAIMS).slice(0, -2)],
    ['white space', ` ${hs256(CLAIMS)}`],
    ['another secret', hs256(CLAIMS, undefined, 'another-secret')],
    ['another payload', hs256(CLAIMS).replace(/\.[^.]+\./, `.${encode({ ...CLAIMS, id: 8 })}.`)],
    ['alg none', hs256(CLAIMS, { alg: 'none' }).replace(/[^.]+$/, '')],
    ['alg None', hs256(CLAIMS, { alg: 'None' }).replace(/[^.]+$/, '')],
    ['no alg', hs256(CLAIMS, { typ: 'JWT' })],
    ['alg of a wrong type', hs256(CLAIMS, { alg: ['HS256'] })],
    ['alg __proto__', hs256(CLAIMS, '{"alg":"__proto__"}')],
    ['alg HS512', hs256(CLAIMS, { alg: 'HS512' })],
    ['an unknown crit', hs256(CLAIMS, { alg: 'HS256', crit: ['exp'], exp: 1 })],
    ['crit b64', hs256(CLAIMS, { alg: 'HS256', crit: ['b64'], b64: false })],
    ['a header that is no JSON', hs256(CLAIMS, 'x')],
    ['a header that is an array', hs256(CLAIMS, [])],
    ['a payload that is no JSON', hs256('x')],
    ['a payload that is an array', hs256([CLAIMS])],
    ['a payload that is null', hs256('null')],
    ['more than 8 KB', hs256({ ...CLAIMS, name: 'x'.repeat(9000) })],
  ])('%s', async (_, token) => {
    expect(await verify(token)).toMatchObject({ ok: false, code: 'token_invalid', status: 401 });
  });

  test.each<[string, string, unknown]>([
    ...Object.keys(CLAIMS).map((claim): [string, string, unknown] => [claim, `no ${claim}`, without(claim)]),
    ...Object.keys(CLAIMS).map((claim): [string, string, unknown] => [
      claim,
      `${claim} null`,
      { ...CLAIMS, [claim]: null },
    ]),
    ['id', 'id a string', { ...CLAIMS, id: '7' }],
    ['id', 'id 0', { ...CLAIMS, id: 0 }],
    ['id', 'id below 0', { ...CLAIMS, id: -1 }],
    ['id', 'id a fraction', { ...CLAIMS, id: 1.5 }],
    ['id', 'id beyond 2^53', { ...CLAIMS, id: 2 ** 53 }],
    ['name', 'name a number', { ...CLAIMS, name: 5 }],
    ['channel', 'channel a list', { ...CLAIMS, channel: ['chat:room1'] }],
    ['iat', 'iat a string', { ...CLAIMS, iat: String(NOW_S) }],
    ['iat', 'iat in the future', { ...CLAIMS, iat: NOW_S + 6 }],
    ['exp', 'exp a string', { ...CLAIMS, exp: String(NOW_S + 60) }],
    ['exp', 'exp an object', { ...CLAIMS, exp: {} }],
    ['exp', 'exp beyond all clocks', JSON.stringify(CLAIMS).replace(/"exp":\d+/, '"exp":1e999')],
    ['nbf', 'nbf in the future', { ...CLAIMS, nbf: NOW_S + 60 }],
  ])('the claim %s is named: %s', async (claim, _, payload) => {
    const answer = await verify(hs256(payload));
    expect(answer).toMatchObject({ ok: false, code: 'token_invalid' });
    expect(answer).toHaveProperty('message', expect.stringContaining(`"${claim}"`));
  });

  test('an exp that is over by the tolerance', async () => {
    expect(await verify(hs256({ ...CLAIMS, exp: NOW_S - 5 }))).toMatchObject({
      code: 'token_expired',
      status: 401,
    });
    expect(await verify(hs256({ ...CLAIMS, exp: NOW_S - 4.5 }))).toMatchObject({ code: 'token_expired' });
    expect(await verify(hs256({ ...CLAIMS, exp: NOW_S }), { clockToleranceMs: 0 })).toMatchObject({
      code: 'token_expired',
    });
  });

  test.each([
    '',
    'private-chat:1',
    'presence-x',
    'private-encrypted-x',
    'broadcast',
    '#x',
    'laravel_database_x',
    'a b',
  ])('a channel that no token can open: %j', async (channel) => {
    expect(await verify(hs256({ ...CLAIMS, channel }))).toMatchObject({ code: 'invalid_channel' });
  });

  test('a public key is never taken for a secret', async () => {
    const publicKeys = [pem(rsa.publicKey)];
    const der = rsa.publicKey.export({ type: 'spki', format: 'der' });
    for (const secret of [pem(rsa.publicKey), pem(rsa.publicKey).trim(), der])
      expect(await verify(hs256(CLAIMS, undefined, secret), { publicKeys })).toMatchObject({
        code: 'token_invalid',
      });
  });

  test.each(['jwk', 'jku', 'x5u', 'x5c', 'kid'])('the header %s brings no key', async (name) => {
    const value = { jwk: ec.publicKey.export({ format: 'jwk' }), x5c: ['AAAA'], kid: '../../dev/null' }[name];
    const token = signed('ES256', ec.privateKey, { [name]: value ?? 'http://127.0.0.1:9/keys' });
    const publicKeys = [pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)];
    expect(await verify(token, { publicKeys })).toMatchObject({ code: 'token_invalid' });
  });

  test('no message holds the token', async () => {
    for (const token of [hs256({ ...CLAIMS, id: 0 }), hs256(CLAIMS, undefined, 'other'), 'gar-bage'])
      for (const part of token.split('.')) expect(JSON.stringify(await verify(token))).not.toContain(part);
  });
});

describe('a key that cannot be used ends the start', () => {
  test.each<[string, Partial<TokenSettings>]>([
    ['an empty secret', { secrets: [''] }],
    ['no PEM', { publicKeys: ['s3cret'] }],
    ['another curve', { publicKeys: [pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey)] }],
  ])('%s', (_, settings) => {
    expect(() => verifier(settings)).toThrow(/^(?!.*s3cret)/);
  });
});

describe('a key set', () => {
  const servers: ReturnType<typeof createServer>[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function keySet(answer: () => { status: number; body: string }) {
    let fetched = 0;
    const server = createServer((_, response) => {
      fetched++;
      const { status, body } = answer();
      response.writeHead(status, { connection: 'close' }).end(body);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
    return { jwksUrl, fetched: () => fetched };
  }

  const jwk = (key: KeyObject, more: object) => ({ ...key.export({ format: 'jwk' }), ...more });
  const keys = JSON.stringify({
    keys: [
      jwk(rsa.publicKey, { kid: 'r' }),
      jwk(ec.publicKey, { kid: 'e' }),
      jwk(ed.publicKey, { kid: 'd' }),
    ],
  });

  test('verifies what its keys have signed, and is fetched once', async () => {
    const { jwksUrl, fetched } = await keySet(() => ({ status: 200, body: keys }));
    const set = verifier({ jwksUrl, secrets: [] });
    for (const token of [
      signed('RS256', rsa.privateKey, { kid: 'r' }),
      signed('ES256', ec.privateKey, { kid: 'e' }),
      signed('EdDSA', ed.privateKey),
    ])
      expect(await set.verify(token, NOW_MS)).toMatchObject({ ok: true });
    expect(await set.verify(signed('RS256', rsa.privateKey, { kid: 'x' }), NOW_MS)).toMatchObject({
      code: 'token_invalid',
    });
    expect(await set.verify(signed('ES256', ec.privateKey, { kid: 'r' }), NOW_MS)).toMatchObject({
      code: 'token_invalid',
    });
    expect(await set.verify(hs256(CLAIMS), NOW_MS)).toMatchObject({ code: 'token_invalid' });
    expect(fetched()).toBe(1);
  });

  test('with two keys of a kind and no kid: each is tried', async () => {
    const other = generateKeyPairSync('ed25519').publicKey;
    const body = JSON.stringify({ keys: [jwk(other, {}), jwk(ed.publicKey, {})] });
    const { jwksUrl } = await keySet(() => ({ status: 200, body }));
    expect(await verify(signed('EdDSA', ed.privateKey), { jwksUrl })).toMatchObject({ ok: true });
  });

  test('an algorithm that is not configured is refused unasked', async () => {
    const { jwksUrl, fetched } = await keySet(() => ({ status: 200, body: keys }));
    const settings: Partial<TokenSettings> = { jwksUrl, jwksAlgorithms: ['ES256'] };
    expect(await verify(signed('RS256', rsa.privateKey), settings)).toMatchObject({ code: 'token_invalid' });
    expect(fetched()).toBe(0);
  });

  test.each([
    ['503', { status: 503, body: '' }],
    ['a redirect', { status: 302, body: '' }],
    ['no JSON', { status: 200, body: '<html>' }],
    ['no key set', { status: 200, body: '{"keys":5}' }],
  ])('that answers %s is our trouble, not the token’s', async (_, answer) => {
    const { jwksUrl } = await keySet(() => answer);
    expect(await verify(signed('RS256', rsa.privateKey), { jwksUrl })).toMatchObject({
      code: 'unavailable',
      status: 503,
    });
  });

  test('is not fetched anew for every key id that a stranger makes up', async () => {
    const { jwksUrl, fetched } = await keySet(() => ({ status: 200, body: keys }));
    const set = verifier({ jwksUrl });
    const made = Array.from({ length: 100 }, (_, i) =>
      signed('RS256', rsa.privateKey, { kid: `made-up-${i}` }),
    );
    for (const answer of await Promise.all(made.map((token) => set.verify(token, NOW_MS))))
      expect(answer).toMatchObject({ code: 'token_invalid' });
    for (const token of made)
      expect(await set.verify(token, NOW_MS)).toMatchObject({ code: 'token_invalid' });
    expect(fetched()).toBe(1);
    expect(await set.verify(signed('RS256', rsa.privateKey, { kid: 'r' }), NOW_MS)).toMatchObject({
      ok: true,
    });
  });

  test('that is down is not asked for every token of a stranger', async () => {
    const { jwksUrl, fetched } = await keySet(() => ({ status: 503, body: '' }));
    const set = verifier({ jwksUrl });
    for (let i = 0; i < 5; i++)
      expect(await set.verify(signed('RS256', rsa.privateKey), NOW_MS)).toMatchObject({
        code: 'unavailable',
      });
    expect(fetched()).toBe(1);
    expect(await set.verify(hs256(CLAIMS), NOW_MS), 'other keys still count').toMatchObject({ ok: true });
  });
});

describe('the channel that a token claims', () => {
  test('is read without proof', () =>
    expect(claimedChannel(hs256(CLAIMS, undefined, 'x'))).toBe('chat:room1'));
  test.each(['12|sanctum', 'a.b.c', '', 'x'.repeat(9000)])('is none where there is no JWT: %s', (token) =>
    expect(claimedChannel(token)).toBeUndefined(),
  );
});

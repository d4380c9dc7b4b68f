import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';

/** The claims of protocol.md section 2. Values are `unknown`, since bad tokens bear bad ones. */
export interface Claims {
  readonly id?: unknown;
  readonly name?: unknown;
  readonly channel?: unknown;
  readonly iat?: unknown;
  readonly exp?: unknown;
  readonly [claim: string]: unknown;
}

export interface MintOptions {
  /** The shared secret. */
  readonly secret: string;
  readonly algorithm?: 'HS256' | 'HS384' | 'HS512';
  /** Merged into the header: `jwk`, `kid`, a lying `alg`. */
  readonly header?: Readonly<Record<string, unknown>>;
}

/** Long enough for HS256, and the Laravel app's default too. */
export const TEST_SECRET = 'test-secret-test-secret-test-secret!';

const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** Alice on `chat:1`, from now for an hour, save what `claims` says; a claim set to undefined is left out. */
function claimsOf(claims: Claims = {}): Claims {
  const iat = nowSeconds();
  return { id: 1, name: 'alice', channel: 'chat:1', iat, exp: iat + 3600, ...claims };
}

/** A token by node:crypto alone, so that a fault of the server's library is not in its test too. */
export function mintToken(claims: Claims = {}, options: Partial<MintOptions> = {}): string {
  const { secret = TEST_SECRET, algorithm = 'HS256', header = {} } = options;
  const input = signingInput(claimsOf(claims), { typ: 'JWT', alg: algorithm, ...header });
  const hash = `sha${algorithm.slice(2)}`;
  return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`;
}

export interface BadToken {
  /** Reads after "a token". */
  readonly name: string;
  readonly token: string;
  /** The code of the refusal. */
  readonly code: 'token_missing' | 'token_invalid' | 'token_expired' | 'forbidden' | 'invalid_channel';
  /** How a raw session ends. */
  readonly close: 4401 | 4403;
  /** The claim that the refusal's message must name. */
  readonly claim?: string;
}

/**
 * Every kind of token that must open nothing (protocol.md section 2), made anew at each call.
 * @param channel the channel that they would open if they were good
 */
export function badTokens(channel = 'chat:1', secret = TEST_SECRET): readonly BadToken[] {
  const now = nowSeconds();
  const mint = (claims: Claims, options: Partial<MintOptions> = {}) =>
    mintToken({ channel, ...claims }, { secret, ...options });
  const invalid = (name: string, token: string, claim?: string): BadToken => ({
    name,
    token,
    code: 'token_invalid',
    close: 4401,
    ...(claim === undefined ? {} : { claim }),
  });
  const good = mint({});
  const [head, body, signature] = good.split('.') as [string, string, string];
  return [
    { name: 'that is empty', token: '', code: 'token_missing', close: 4401 },
    invalid('that is garbage', 'garbage'),
    invalid('of three garbage parts', 'a.b.c'),
    invalid('without its signature', `${head}.${body}.`),
    invalid('with a changed signature', `${head}.${body}.${flip(signature)}`),
    invalid('with changed claims', `${head}.${encode({ ...claimsOf({ channel }), id: 2 })}.${signature}`),
    invalid('of another secret', mint({}, { secret: 'another-secret-another-secret-12345' })),
    invalid('of algorithm none', `${signingInput(claimsOf({ channel }), { typ: 'JWT', alg: 'none' })}.`),
    invalid('that says none and is signed', mint({}, { header: { alg: 'none' } })),
    invalid('of algorithm HS512', mint({}, { algorithm: 'HS512' })),
    invalid('that says HS512 and is signed by HS256', mint({}, { header: { alg: 'HS512' } })),
    invalid('of a key pair, its public key in the header', selfSigned(channel)),
    invalid('whose claims are a list', signed(secret, [1, 2, 3])),
    invalid('whose claims are no JSON', signed(secret, 'not json', true)),
    ...['id', 'name', 'channel', 'iat', 'exp'].map((claim) =>
      invalid(`without the claim ${claim}`, mint({ [claim]: undefined }), claim),
    ),
    invalid('with a string as id', mint({ id: '1' }), 'id'),
    invalid('with the id 0, the system user', mint({ id: 0 }), 'id'),
    invalid('with a negative id', mint({ id: -1 }), 'id'),
    invalid('with a fraction as id', mint({ id: 1.5 }), 'id'),
    invalid('with null as id', mint({ id: null }), 'id'),
    invalid('with a number as name', mint({ name: 7 }), 'name'),
    invalid('with a list as channel', mint({ channel: [channel] }), 'channel'),
    invalid('with a string as iat', mint({ iat: String(now) }), 'iat'),
    invalid('from the future', mint({ iat: now + 600, exp: now + 3600 }), 'iat'),
    invalid('with a string as exp', mint({ exp: String(now + 3600) }), 'exp'),
    invalid('that is not valid yet', mint({ nbf: now + 600 })),
    {
      name: 'that has expired',
      token: mint({ iat: now - 7200, exp: now - 3600 }),
      code: 'token_expired',
      close: 4401,
    },
  ];
}

/** Names that no token may open, whoever signed it: protocol.md section 2, closed with 4403. */
export const unopenableChannels = [
  'private-chat:1',
  'presence-chat:1',
  'private-encrypted-chat:1',
  'broadcast',
  '#chat',
  'a b',
  '',
];

function signingInput(claims: unknown, header: Readonly<Record<string, unknown>>): string {
  return `${encode(header)}.${encode(claims)}`;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** @param verbatim the claims are the payload's text itself */
function signed(secret: string, claims: unknown, verbatim = false): string {
  const payload = verbatim ? Buffer.from(String(claims)).toString('base64url') : encode(claims);
  const input = `${encode({ typ: 'JWT', alg: 'HS256' })}.${payload}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

function selfSigned(channel: string): string {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const input = signingInput(claimsOf({ channel }), {
    typ: 'JWT',
    alg: 'RS256',
    jwk: publicKey.export({ format: 'jwk' }),
  });
  return `${input}.${createSign('RSA-SHA256').update(input).sign(privateKey, 'base64url')}`;
}

/** Another first character: the last one bears unused bits, so that changing it may change nothing. */
function flip(signature: string): string {
  return `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
}

import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { mintToken, TEST_SECRET } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { type Running, startYamabiko } from '../support/yamabiko.ts';

const NEXT_SECRET = 'the-next-one-of-at-least-32-bytes';
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token by node:crypto alone, as Laravel would sign it with a private key. */
function signedBy(privateKey: KeyObject, alg: 'RS256' | 'ES256' | 'EdDSA'): string {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { id: 1, name: 'alice', channel: 'chat:1', iat, exp: iat + 3600 };
  const input = `${encode({ typ: 'JWT', alg })}.${encode(claims)}`;
  const key = alg === 'ES256' ? { key: privateKey, dsaEncoding: 'ieee-p1363' as const } : privateKey;
  return `${input}.${sign(alg === 'EdDSA' ? null : 'sha256', Buffer.from(input), key).toString('base64url')}`;
}

const PAIRS = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
} as const;
const pemOf = (key: KeyObject) => String(key.export({ type: 'spki', format: 'pem' }));

describe('the keys of tokens', () => {
  let server: Running;
  afterEach(async () => {
    await server.settledToZero();
    await server.stop();
  });

  /** @returns ok, or the code of the refusal */
  async function door(token: string): Promise<string> {
    const client = await RawClient.open({ url: server.url, token });
    const { type, code } = await client.next();
    await client.close();
    return type === 'connected' ? 'ok' : code;
  }

  it('may be several secrets, the old one too until it is taken away', async () => {
    server = await startYamabiko({ YAMABIKO_JWT_SECRET: `${NEXT_SECRET},${TEST_SECRET}` });
    expect(await door(mintToken({}, { secret: NEXT_SECRET }))).toBe('ok');
    expect(await door(mintToken({}))).toBe('ok');
    expect(await door(mintToken({}, { secret: `${NEXT_SECRET},${TEST_SECRET}` }))).toBe('token_invalid');
  });

  it.each(['RS256', 'ES256', 'EdDSA'] as const)('may be a public key: %s', async (alg) => {
    const pem = pemOf(PAIRS[alg].publicKey);
    server = await startYamabiko({ YAMABIKO_JWT_SECRET: '', YAMABIKO_JWT_PUBLIC_KEY: pem });
    expect(await door(signedBy(PAIRS[alg].privateKey, alg))).toBe('ok');
    // The oldest trick: the public key, which everybody knows, taken for a shared secret.
    expect(await door(mintToken({}, { secret: pem }))).toBe('token_invalid');
    expect(await door(mintToken({}))).toBe('token_invalid');
    for (const other of ['RS256', 'ES256', 'EdDSA'] as const)
      if (other !== alg) expect(await door(signedBy(PAIRS[other].privateKey, other))).toBe('token_invalid');
  });

  it('may be a secret and a public key, each for its own algorithm', async () => {
    server = await startYamabiko({ YAMABIKO_JWT_PUBLIC_KEY: pemOf(PAIRS.ES256.publicKey) });
    expect(await door(signedBy(PAIRS.ES256.privateKey, 'ES256'))).toBe('ok');
    expect(await door(mintToken({}))).toBe('ok');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(await door(signedBy(privateKey, 'ES256'))).toBe('token_invalid');
  });
});

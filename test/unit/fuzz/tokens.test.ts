import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AccessChain } from '../../../server/access/access-chain.ts';
import { PublicAccess } from '../../../server/access/public-access.ts';
import { TokenAccess } from '../../../server/access/token-access.ts';
import { claimedChannel, TokenVerifier } from '../../../server/access/token-verifier.ts';
import { isRejection } from '../../../server/domain/outcome.ts';
import { mintToken, TEST_SECRET } from '../../support/jwt.ts';
import { question, RESERVED } from '../access/questions.ts';
import { changed, expectRefusal, holdsForAsync, json, objectOf, text, value } from './fuzz.ts';

const { publicKey } = generateKeyPairSync('ed25519');
const settings = {
  secrets: [TEST_SECRET],
  publicKeys: [publicKey.export({ type: 'spki', format: 'pem' }) as string],
  jwksUrl: null,
  jwksAlgorithms: [],
  clockToleranceMs: 5000,
  enforceExpiry: true,
};
const verifier = new TokenVerifier(settings, RESERVED);

const claims = objectOf({
  id: fc.integer({ min: 1 }),
  name: text,
  channel: fc.constantFrom('chat:1', 'news'),
  iat: fc.constant(Math.floor(Date.now() / 1000)),
  exp: fc.constant(Math.floor(Date.now() / 1000) + 3600),
}) as fc.Arbitrary<Record<string, unknown>>;
const header = objectOf({
  alg: fc.constantFrom('HS256', 'EdDSA', 'none'),
  kid: text,
  jwk: json,
  jku: text,
  crit: json,
});

test('a token of any kind is verified, or refused with a code', async () => {
  const signed = fc
    .tuple(claims, header)
    .map(([payload, more]) => mintToken(payload, { header: plain(more) }));
  await holdsForAsync(fc.oneof(value, signed, changed(fc.constant(mintToken()))), async (token) => {
    const verified = await verifier.verify(token);
    if (isRejection(verified)) return expectRefusal(verified);
    const { id, channel, expiresAtMs } = verified.claims;
    expect(Number.isSafeInteger(id) && id > 0).toBe(true);
    expect(channel).not.toBe('');
    expect(expiresAtMs).toBeGreaterThan(Date.now() - 5000);
  });
});

test('no change of a good token makes another good one', async () => {
  const good = mintToken({ id: 7 });
  const parts = good.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'));
  await holdsForAsync(changed(fc.constant(good)), async (token) => {
    const verified = await verifier.verify(token);
    if (isRejection(verified)) return;
    // base64url has spellings that mean the same bytes: the last character bears unused bits.
    expect(token.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'))).toEqual(parts);
  });
});

test('any auth of any subscribe is decided, and opens nothing by chance', async () => {
  const tokens = new TokenAccess(verifier, settings);
  const chain = new AccessChain([tokens, new PublicAccess()]);
  const auth = fc.oneof(
    value,
    objectOf({ token: value, headers: objectOf({ Authorization: text, authorization: text }) }),
  );
  await holdsForAsync(
    fc.tuple(auth, fc.constantFrom('news', 'private-x', 'presence-x')),
    async ([given, wire]) => {
      const decision = await chain.decide(question(wire, given));
      if (isRejection(decision)) expectRefusal(decision);
      else expect(decision.kind).toBe('public');
    },
  );
});

test('the channel that a token claims is read from any text without a fault', async () => {
  await holdsForAsync(
    fc.oneof(text, changed(fc.constant(mintToken()))),
    async (token) => void claimedChannel(token),
  );
});

/** What JSON can bear. */
function plain(one: unknown): Record<string, unknown> {
  return JSON.parse(JSON.stringify(one)) as Record<string, unknown>;
}

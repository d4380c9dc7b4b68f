import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import type { Access } from '../../../server/access/access.ts';
import { AccessChain } from '../../../server/access/access-chain.ts';
import { PublicAccess } from '../../../server/access/public-access.ts';
import { TokenAccess } from '../../../server/access/token-access.ts';
import { type TokenSettings, TokenVerifier } from '../../../server/access/token-verifier.ts';
import { question, RESERVED } from './questions.ts';

const SETTINGS: TokenSettings = {
  secrets: ['a-secret-of-the-tests-with-32-bytes'],
  publicKeys: [],
  jwksUrl: null,
  jwksAlgorithms: [],
  clockToleranceMs: 5000,
  enforceExpiry: true,
};
const EXP_S = Math.floor(Date.now() / 1000) + 60;

const tokens = (more: Partial<TokenSettings> = {}) => {
  const settings = { ...SETTINGS, ...more };
  return new TokenAccess(new TokenVerifier(settings, RESERVED), settings);
};

const mint = (channel: string, secret = SETTINGS.secrets[0]) =>
  new SignJWT({ id: 7, name: 'A "B"', channel, iat: EXP_S - 60, exp: EXP_S })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(Buffer.from(secret ?? ''));

const OF_ANOTHER = await mint('chat:2');
const GOOD = await mint('chat:1');

const bearer = (token: string, name = 'Authorization') => ({ headers: { [name]: `Bearer ${token}` } });

describe('auth.token', () => {
  test.each([
    ['chat:1', 'token'],
    ['private-chat:1', 'private'],
    ['presence-chat:1', 'presence'],
  ])('opens %s as kind %s', async (wire, kind) => {
    expect(await tokens().decide(question(wire, { token: await mint('chat:1') }))).toEqual({
      ok: true,
      kind,
      by: 'token',
      channel: question(wire).channel,
      user: { userIdJson: '7', userInfoJson: '{"id":7,"name":"A \\"B\\""}' },
      expiresAtMs: EXP_S * 1000 + 5000,
    });
  });

  test('has no end where expiry is checked at the door only', async () => {
    const auth = { token: await mint('chat:1') };
    expect(await tokens({ enforceExpiry: false }).decide(question('chat:1', auth))).toMatchObject({
      expiresAtMs: null,
    });
  });

  test.each(['chat:2', 'private-chat:2', 'presence-chat:2', 'chat', 'private-encrypted-chat:1'])(
    'of chat:1 does not open %s',
    async (wire) => {
      const answer = await tokens().decide(question(wire, { token: await mint('chat:1') }));
      expect(answer).toMatchObject({ ok: false, code: 'forbidden', status: 403 });
    },
  );

  test.each([
    [null, 'token_missing'],
    [undefined, 'token_missing'],
    ['', 'token_missing'],
    [5, 'token_invalid'],
    [{}, 'token_invalid'],
    ['garbage', 'token_invalid'],
  ])('%j decides, on a public name too: %s', async (token, code) => {
    expect(await tokens().decide(question('news', { token }))).toMatchObject({ code });
  });

  test('decides before a bearer token that is good', async () => {
    const auth = { token: 'garbage', ...bearer(await mint('chat:1')) };
    expect(await tokens().decide(question('chat:1', auth))).toMatchObject({ code: 'token_invalid' });
  });

  test('of a prototype is none', async () => {
    expect(await tokens().decide(question('news', Object.create({ token: 'x' })))).toBeNull();
  });
});

describe('a bearer token', () => {
  test.each(['Authorization', 'authorization', 'AUTHORIZATION'])('in %s opens its channel', async (name) => {
    for (const wire of ['chat:1', 'private-chat:1', 'presence-chat:1'])
      expect(await tokens().decide(question(wire, bearer(await mint('chat:1'), name)))).toMatchObject({
        ok: true,
      });
  });

  test('that claims the channel with a bad signature is refused here', async () => {
    const answer = await tokens().decide(question('private-chat:1', bearer(await mint('chat:1', 'other'))));
    expect(answer).toMatchObject({ code: 'token_invalid', status: 401 });
  });

  test('opens no encrypted channel', async () => {
    const answer = await tokens().decide(question('private-encrypted-chat:1', bearer(await mint('chat:1'))));
    expect(answer).toMatchObject({ code: 'forbidden' });
  });

  test.each<[string, unknown]>([
    ['a token of another channel', bearer(OF_ANOTHER)],
    ['no JWT', bearer('12|sanctum')],
    ['another scheme', { headers: { Authorization: `Basic ${GOOD}` } }],
    ['a header that is no string', { headers: { Authorization: { toString: 'x' } } }],
    ['no headers', {}],
    ['headers of a wrong type', { headers: 5 }],
    ['no auth', undefined],
    ['auth of a wrong type', 'Bearer'],
  ])('%s is not ours to judge', async (_, auth) => {
    expect(await tokens().decide(question('private-chat:1', auth))).toBeNull();
  });
});

describe('the chain', () => {
  const laravel: Access = {
    decide: async ({ channel }) => {
      throw new Error(`Laravel was asked about ${channel.wire}`);
    },
  };
  const chain = new AccessChain([tokens(), new PublicAccess(), laravel]);

  test('lets anybody into a public channel, as nobody', async () => {
    expect(await chain.decide(question('news'))).toMatchObject({
      ok: true,
      kind: 'public',
      user: null,
      expiresAtMs: null,
    });
  });

  test('never asks Laravel where a token decides', async () => {
    const bad = bearer(await mint('chat:1', 'other'));
    expect(await chain.decide(question('private-chat:1', bad))).toMatchObject({ code: 'token_invalid' });
    await expect(chain.decide(question('private-chat:1'))).rejects.toThrow('Laravel was asked');
  });

  test('refuses where nobody answers', async () => {
    const answer = await new AccessChain([tokens(), new PublicAccess()]).decide(question('private-x'));
    expect(answer).toMatchObject({ ok: false, code: 'forbidden' });
  });

  test('asks nobody for one who has left', async () => {
    const answer = await chain.decide(question('private-x', {}, { signal: AbortSignal.abort() }));
    expect(answer).toMatchObject({ ok: false, code: 'cancelled' });
  });
});

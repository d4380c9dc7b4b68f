import { describe, expect, it } from 'vitest';
import { decodeVerdict, refusalOf, refusals, revocationOf } from '../../echo-connector/src/wire.ts';
import { catalogue } from '../../server/domain/catalogue.ts';

describe('the connector’s copy of the codes', () => {
  it('is the server’s catalogue: each code, its status and what it asks of the client', () => {
    const ofServer = Object.entries(catalogue).map(([code, { status, advice }]) => [
      code,
      { status, advice },
    ]);
    expect(refusals).toEqual(Object.fromEntries(ofServer));
  });
});

describe('a refusal', () => {
  it('has the status of its code, unless the server gives another', () => {
    expect(refusalOf('forbidden', 'no').status).toBe(403);
    const answer = { ok: false, code: 'auth_error', status: 0, message: 'no network' };
    expect(decodeVerdict(answer)).toEqual({ code: 'auth_error', status: 0, message: 'no network' });
  });

  it.each([
    undefined,
    null,
    'no',
    5,
    [],
    {},
    { ok: 'true' },
    { ok: false, code: {} },
    { ok: false, error: 7 },
  ])('is what an answer is that is no yes: %j', (answer) => {
    expect(decodeVerdict(answer)).toMatchObject({ status: 500, message: expect.any(String) });
  });

  it.each([
    [401, 'token_expired'],
    [403, 'ended'],
    [0, 'auth_error'],
    [429, 'rate_limited'],
    [502, 'auth_error'],
    [404, 'invalid_message'],
  ])('of status %d alone is %s', (status, code) => {
    expect(revocationOf(status)).toMatchObject({ status, code });
  });
});

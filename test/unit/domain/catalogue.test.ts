import { expect, test } from 'vitest';
import { catalogue } from '../../../server/domain/catalogue.ts';
import { isRejection, reject } from '../../../server/domain/outcome.ts';

// Clients depend on these: a row may be added, none changed (protocol.md sections 3 and 11).
const FIXED = {
  invalid_message: [400, null],
  invalid_channel: [400, 4403],
  invalid_event: [400, null],
  invalid_data: [422, null],
  token_missing: [401, 4401],
  token_invalid: [401, 4401],
  token_expired: [401, 4401],
  forbidden: [403, 4403],
  not_subscribed: [403, null],
  send_forbidden: [403, null],
  rate_limited: [429, 4429],
  limit_reached: [429, 4429],
  too_large: [413, 1009],
  too_slow: [408, 4408],
  protocol_abuse: [400, 4400],
  ended: [403, 4409],
  restarting: [503, 1012],
  unavailable: [503, 1013],
} as const;

test.each(Object.entries(FIXED))('%s keeps its status and close code: %j', (code, [status, close]) => {
  expect(catalogue[code as keyof typeof FIXED]).toMatchObject({ status, close });
});

test('auth_error is there; its status is 502 unless Laravel gave one', () => {
  expect(reject('auth_error', 'm')).toEqual({ ok: false, code: 'auth_error', status: 502, message: 'm' });
  expect(reject('auth_error', 'm', 0)).toMatchObject({ status: 0 });
});

test('a client is never told to come back where nothing can change', () => {
  for (const [code, { close, advice }] of Object.entries(catalogue))
    if (close === 1012 || close === 1013) expect(advice, code).toBe('later');
    else if (close === 4401) expect(advice, code).toBe('new-token');
    else if (close === 4403 || close === 4409) expect(advice, code).toBe('never');
});

test.each([null, undefined, 'x', true, {}, { ok: true }, []])('%j is no rejection', (value) => {
  expect(isRejection(value)).toBe(false);
});

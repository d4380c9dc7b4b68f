import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeAuthAnswer } from '../../../server/access/auth-answer.ts';
import { authRequest } from '../../../server/access/auth-request.ts';
import { clientHeaders } from '../../../server/access/client-headers.ts';
import { isRejection } from '../../../server/domain/outcome.ts';
import { question } from '../access/questions.ts';
import { changed, expectRefusal, holdsFor, json, jsonText, key, objectOf, text, value } from './fuzz.ts';

test("Laravel's answer is a yes of which every piece is JSON, or refused with a code", () => {
  const body = fc.oneof(
    jsonText,
    objectOf({ auth: text, channel_data: fc.oneof(json, jsonText) }).map((one) => JSON.stringify(one) ?? ''),
    changed(
      fc.constantFrom(
        '{"channel_data":{"user_id":1,"user_info":{"id":1,"name":"alice"}}}',
        '{"auth":"KEY:ab","channel_data":"{\\"user_id\\":\\"1\\",\\"user_info\\":{}}"}',
        'true',
      ),
    ),
  );
  const status = fc.oneof(fc.constant(200), fc.integer({ min: 100, max: 599 }));
  const kind = fc.constantFrom('private', 'presence', 'encrypted', 'public');
  holdsFor(fc.tuple(body, status, kind), ([written, code, of]) => {
    const outcome = { type: 'answer', status: code, body: written, retryAfterMs: null, attempts: 1 } as const;
    const answer = decodeAuthAnswer(outcome, of);
    if (isRejection(answer)) return expectRefusal(answer);
    expect(code).toBe(200);
    if (of === 'presence') expect(answer.user).not.toBeNull();
    if (answer.user === null) return;
    const id: unknown = JSON.parse(answer.user.userIdJson);
    expect(id !== '' && ['string', 'number'].includes(typeof id)).toBe(true);
    if (answer.user.userInfoJson !== undefined) JSON.parse(answer.user.userInfoJson);
  });
});

test('whatever a client asks to have sent, what is sent are headers that are not ours to speak', () => {
  const headers = fc.oneof(
    value,
    fc.dictionary(
      fc.oneof(key, fc.constantFrom('Host', 'X-Forwarded-For', 'Cookie', 'X_Real_IP', 'Authorization')),
      value,
    ),
    fc.dictionary(text, text, { maxKeys: 50 }),
  );
  holdsFor(
    fc.oneof(
      value,
      headers.map((one) => ({ headers: one })),
    ),
    (auth) => {
      const sent = clientHeaders(auth);
      const request = authRequest(question('private-x', auth));
      if (isRejection(request)) return expectRefusal(request);
      for (const [name, content] of sent ?? []) {
        expect(name).toMatch(/^[a-z][a-z0-9!#$%&'*+.^_`|~-]*$/);
        expect(name).not.toMatch(
          /^(host|cookie|forwarded|content[-_].*|x[-_]forwarded[-_].*|x[-_]real[-_]ip)$/,
        );
        expect(content).not.toMatch(/[\r\n\0]/);
      }
      const names = request.headers.filter((_, i) => i % 2 === 0);
      expect(new Set(names).size, 'each once').toBe(names.length);
      // Node and undici refuse what is no header, with an exception.
      new Headers(names.map((name, i) => [name, request.headers[i * 2 + 1] ?? '']));
    },
  );
});

import { expect, it } from 'vitest';
import { decodeMarker } from '../../../../server/broker/log/marker.ts';

const decode = (text: string) => decodeMarker(Buffer.from(text));

it('A marker tells its nonce, the calls before it, and the process that counted them', () => {
  expect(decode('a-1|12|0af')).toEqual({ nonce: 'a-1', calls: 12, runId: '0af' });
  expect(decode('a-1||')).toEqual({ nonce: 'a-1', calls: null, runId: null });
  expect(decode('a-1|0|')).toMatchObject({ calls: 0 });
});

it.each(['', '|1|a', 'a|x|a', 'a|1', 'a|1|a|b', `${'a'.repeat(65)}|1|a`, 'a|12345678901234567|a', 'a b|1|a'])(
  'What is none (%s) is taken as none',
  (text) => expect(decode(text)).toBeNull(),
);

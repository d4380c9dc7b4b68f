import { describe, expect, it } from 'vitest';
import { isPeerMessage } from '../../../../server/broker/peers/peer-messages.ts';

const is = (message: unknown) => isPeerMessage(Buffer.from(JSON.stringify(message)));

describe('what nodes publish to each other', () => {
  const question = { uid: 'abc', requestId: 'def', type: 6, data: ['yamabiko:counts', null] };
  const answer = { type: 6, requestId: 'def', data: [] };

  it('are questions and answers of ours', () => {
    expect(is(question)).toBe(true);
    expect(is(answer)).toBe(true);
  });

  it.each([
    { ...question, data: ['error', {}] },
    { ...question, data: ['connection', {}] },
    { ...question, data: ['disconnect'] },
    { ...question, data: [] },
    { ...question, data: null },
    { ...question, data: 'yamabiko:counts' },
    { ...question, requestId: undefined },
    { ...question, requestId: 7 },
    { ...question, uid: 7 },
    { ...question, type: 4, opts: { rooms: [], except: [] }, close: true },
    { ...question, type: 7, packet: { type: 2, data: ['x'] }, opts: { rooms: [], except: [] } },
    { ...answer, type: 8, clientCount: 1 },
    { type: 5 },
    {},
    [],
    null,
    6,
    'text',
  ])('are not %j, which the adapter would take', (message) => {
    expect(is(message)).toBe(false);
  });

  it('are not what is no JSON', () => {
    for (const bytes of ['', '{', 'garbage', '\xc0'])
      expect(isPeerMessage(Buffer.from(bytes, 'latin1'))).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { firstReached, parseBacklog } from '../../../../server/broker/replication/backlog.ts';

const [NOW, EARLIER] = ['a'.repeat(40), 'b'.repeat(40)];

const backlog = (more: Record<string, string> = {}) =>
  parseBacklog(
    Object.entries({
      role: 'master',
      master_replid: NOW,
      master_replid2: EARLIER,
      master_repl_offset: '500',
      second_repl_offset: '301',
      repl_backlog_active: '1',
      repl_backlog_first_byte_offset: '101',
      repl_backlog_histlen: '400',
      ...more,
    })
      .map(([name, value]) => `${name}:${value}`)
      .join('\r\n'),
  );
const reached = (replid: string, offset: number, more = {}) =>
  firstReached(backlog(more), [{ replid, offset }]) !== null;

describe('firstReached', () => {
  it.each([
    ['its present end', NOW, 500, true],
    ['the last byte that it keeps', NOW, 100, true],
    ['the byte before', NOW, 99, false],
    ['ahead of its end', NOW, 501, false],
    ['where it was promoted', EARLIER, 300, true],
    ['behind that, what only the old master had', EARLIER, 301, false],
    ['another history', 'c'.repeat(40), 300, false],
  ])('tells whether a master goes on from %s', (_where, replid, offset, expected) => {
    expect(reached(replid, offset)).toBe(expected);
  });

  it('goes on from nowhere without a backlog, or where Redis does not say what it has', () => {
    expect(reached(NOW, 500, { repl_backlog_active: '0' })).toBe(false);
    expect(firstReached(parseBacklog(''), [{ replid: '', offset: 0 }])).toBeNull();
  });

  it('takes the first place that is reached', () => {
    const places = [400, 300, 200].map((offset) => ({ replid: EARLIER, offset }));
    expect(firstReached(backlog(), places)).toBe(places[1]);
    expect(firstReached(backlog(), [])).toBeNull();
  });
});

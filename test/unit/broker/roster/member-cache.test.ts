import { describe, expect, it } from 'vitest';
import { MemberCache } from '../../../../server/broker/roster/member-cache.ts';
import { createMember } from '../../../../server/domain/member.ts';

describe('The member cache', () => {
  it('decodes the same text once', () => {
    const cache = new MemberCache();
    const { json } = createMember({ userIdJson: '1', socketId: 'a' });
    const member = cache.decode(json);
    expect(member?.userId).toBe('1');
    expect(cache.decode(json)).toBe(member);
  });

  it('keeps no more than its bound, and decodes the forgotten anew', () => {
    const cache = new MemberCache();
    const first = createMember({ userIdJson: '0', socketId: 'a' });
    const decoded = cache.decode(first.json);
    for (let i = 1; i <= 40_000; i++)
      cache.decode(createMember({ userIdJson: String(i), socketId: 'a' }).json);
    expect(cache.decode(first.json)).not.toBe(decoded);
    expect(cache.decode(first.json)).toEqual(first);
  });

  it('forgets who has not been seen for a while, and keeps who has', () => {
    const cache = new MemberCache();
    const json = (n: number) => createMember({ userIdJson: String(n), socketId: 'a' }).json;
    const startMs = performance.now();
    const here = cache.decode(json(0), startMs);
    for (let i = 1; i <= 500; i++) cache.decode(json(i), startMs);
    for (let s = 1; s <= 120; s++) expect(cache.decode(json(0), startMs + s * 1000)).toBe(here);
    expect(cache.size).toBe(1);
  });

  it.each(['', 'null', '[]', '{}', '{"user_id":null}', 'O:8:"stdClass"'])(
    'takes %s for no member',
    (text) => {
      expect(new MemberCache().decode(text)).toBeNull();
    },
  );
});

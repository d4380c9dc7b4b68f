import { describe, expect, it } from 'vitest';
import { AbuseCount } from '../../../server/connection/abuse-count.ts';

describe('the count of bad frames', () => {
  it('is full at the limit within the window, not one before', () => {
    const count = new AbuseCount(3, 10_000);
    expect([0, 5000, 10_000].map((atMs) => count.add(atMs))).toEqual([false, false, true]);
  });

  it('forgets what is older than the window', () => {
    const count = new AbuseCount(3, 10_000);
    expect([0, 5000, 10_001, 15_001, 20_000].map((atMs) => count.add(atMs))).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
  });

  it('may end at the first', () => {
    expect(new AbuseCount(1, 1000).add(0)).toBe(true);
  });
});

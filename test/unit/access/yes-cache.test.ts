import { expect, test } from 'vitest';
import { YesCache } from '../../../server/access/yes-cache.ts';

const yes = { ok: true, user: null } as const;

test('holds so many answers at most, the newest ones', () => {
  const cache = new YesCache(60_000);
  for (let i = 0; i < 10_050; i++) cache.add(`question ${i}`, yes, 0);
  expect(cache.size).toBe(10_000);
  expect(cache.get('question 49', 1)).toBeNull();
  expect(cache.get('question 50', 1)).toBe(yes);
});

test('lets go of what has ended when something is added', () => {
  const cache = new YesCache(100);
  for (let i = 0; i < 50; i++) cache.add(`question ${i}`, yes, 0);
  cache.add('later', yes, 200);
  expect(cache.size).toBe(1);
});

test('keeps nobody who brings too much about himself', () => {
  const cache = new YesCache(60_000);
  cache.add('question', { ok: true, user: { userIdJson: '1', userInfoJson: `"${'x'.repeat(5000)}"` } });
  expect(cache.size).toBe(0);
});

test('is off at 0', () => {
  const cache = new YesCache(0);
  cache.add('question', yes, 0);
  expect([cache.size, cache.get('question', 0)]).toEqual([0, null]);
});

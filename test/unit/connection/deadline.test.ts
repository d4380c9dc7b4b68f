import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deadline } from '../../../server/connection/deadline.ts';

const DAY_MS = 86_400_000;

describe('a deadline', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([0, 1, 1000, 24 * DAY_MS, 25 * DAY_MS, 100 * DAY_MS, 3650 * DAY_MS])(
    'in %i ms calls back once, then and not before',
    (inMs) => {
      const callback = vi.fn();
      new Deadline().set(Date.now() + inMs, callback);
      if (inMs > 0) {
        vi.advanceTimersByTime(inMs - 1);
        expect(callback).not.toHaveBeenCalled();
      }
      vi.advanceTimersByTime(1);
      expect(callback).toHaveBeenCalledTimes(1);
      vi.advanceTimersByTime(100 * DAY_MS);
      expect(callback).toHaveBeenCalledTimes(1);
    },
  );

  it('that lies in the past calls back at once, but not within the call', () => {
    const callback = vi.fn();
    new Deadline().set(Date.now() - DAY_MS, callback);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  it('gives way to a later one, to an earlier one and to never', () => {
    const deadline = new Deadline();
    const [first, second, third] = [vi.fn(), vi.fn(), vi.fn()];
    deadline.set(Date.now() + 1000, first);
    deadline.set(Date.now() + 50 * DAY_MS, second);
    vi.advanceTimersByTime(30 * DAY_MS);
    deadline.set(Date.now() + 1000, third);
    vi.advanceTimersByTime(1000);
    deadline.set(null, first);
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(100 * DAY_MS);
    expect([first, second, third].map((f) => f.mock.calls.length)).toEqual([0, 0, 1]);
  });

  it('that is cleared holds no timer', () => {
    const deadline = new Deadline();
    deadline.set(Date.now() + 60 * DAY_MS, () => {});
    deadline.clear();
    expect(vi.getTimerCount()).toBe(0);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { backoffMs, callAt, renewalDelayMs } from '../../echo-connector/src/timing.ts';

const dayMs = 86_400_000;

describe('callAt', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('calls at its time, once', async () => {
    const call = vi.fn();
    callAt(Date.now() + 90_500, call);
    await vi.advanceTimersByTimeAsync(90_499);
    expect(call).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(dayMs);
    expect(call).toHaveBeenCalledTimes(1);
  });

  it('waits longer than a timer can', async () => {
    const call = vi.fn();
    callAt(Date.now() + 30 * dayMs, call);
    await vi.advanceTimersByTimeAsync(29.9 * dayMs);
    expect(call).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(0.2 * dayMs);
    expect(call).toHaveBeenCalledTimes(1);
  });

  it('notices within a minute that the machine has slept', async () => {
    const call = vi.fn();
    callAt(Date.now() + 3_600_000, call);
    vi.setSystemTime(Date.now() + 8 * 3_600_000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(call).toHaveBeenCalledTimes(1);
  });

  it('can be cancelled at any time, the past included', async () => {
    const call = vi.fn();
    const cancel = callAt(Date.now() + 200_000, call);
    const cancelPast = callAt(Date.now() - 5, call);
    cancelPast();
    await vi.advanceTimersByTimeAsync(150_000);
    cancel();
    await vi.advanceTimersByTimeAsync(dayMs);
    expect(call).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('when a token is renewed', () => {
  it.each([10_000, 3_600_000, 30 * dayMs])('at about 80 %% of %d ms', (leftMs) => {
    for (let times = 0; times < 50; times++) {
      const delay = renewalDelayMs(leftMs);
      expect(delay).toBeGreaterThanOrEqual(0.75 * leftMs);
      expect(delay).toBeLessThanOrEqual(0.85 * leftMs);
      expect(delay).toBeLessThanOrEqual(leftMs - 1000);
    }
  });

  it('at least a second before the end, and never without a pause', () => {
    expect(renewalDelayMs(2400)).toBe(1400);
    expect(renewalDelayMs(1200)).toBe(500);
    expect(renewalDelayMs(0)).toBe(500);
  });
});

describe('the pause after failures', () => {
  it('doubles to its limit, half of it by chance', () => {
    for (const [failures, full] of [
      [0, 1000],
      [1, 2000],
      [4, 16_000],
      [5, 30_000],
      [5000, 30_000],
    ] as const) {
      const delay = backoffMs(failures, 1000, 30_000);
      expect(delay).toBeGreaterThanOrEqual(full / 2);
      expect(delay).toBeLessThanOrEqual(full);
    }
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LeftChannels } from '../../../server/flows/left-channels.ts';

describe('the channels that a connection has left', () => {
  let left: LeftChannels;
  beforeEach(() => {
    vi.useFakeTimers();
    left = new LeftChannels();
  });
  afterEach(() => void vi.useRealTimers());

  it('go on from where they were left for a moment, then begin anew, then are forgotten', () => {
    left.add('a', '1-1');
    expect(left.placeOf('a')).toBe('1-1');
    expect(left.placeOf('b')).toBeUndefined();
    vi.advanceTimersByTime(2_001);
    expect(left.placeOf('a')).toBeNull();
    vi.advanceTimersByTime(3_000);
    expect(left.placeOf('a')).toBeUndefined();
  });

  it('go on from the last place', () => {
    left.add('a', '1-1');
    vi.advanceTimersByTime(1_900);
    left.add('a', '1-9');
    vi.advanceTimersByTime(1_900);
    expect(left.placeOf('a')).toBe('1-9');
  });

  it('are not remembered without bound', () => {
    for (let i = 0; i < 5_000; i++) left.add(`c${i}`, '1-1');
    expect(left.placeOf('c0')).toBeUndefined();
    expect(left.placeOf('c4999')).toBe('1-1');
  });
});

import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../../server/connection/token-bucket.ts';

const takes = (bucket: TokenBucket, count: number, nowMs: number) =>
  Array.from({ length: count }, () => bucket.take(nowMs)).filter(Boolean).length;

describe('a token bucket', () => {
  it('gives its burst at once, then its rate', () => {
    const bucket = new TokenBucket(100, 50, 0);
    expect(takes(bucket, 150, 0)).toBe(100);
    expect(takes(bucket, 150, 1000)).toBe(50);
    expect(takes(bucket, 150, 1010)).toBe(0);
    expect(takes(bucket, 150, 1020)).toBe(1);
  });

  it('never saves more than the burst', () => {
    const bucket = new TokenBucket(3, 50, 0);
    expect(takes(bucket, 10, 3_600_000)).toBe(3);
  });

  it('neither gives nor loses anything by a clock that goes back', () => {
    const bucket = new TokenBucket(2, 1, 10_000);
    expect(takes(bucket, 1, 10_000)).toBe(1);
    expect(takes(bucket, 5, 0)).toBe(1);
    expect(takes(bucket, 5, 1000)).toBe(1);
  });
});

describe('what is taken of a bucket before it is there', () => {
  it('is to be waited for, each behind the one before', () => {
    const bucket = new TokenBucket(2, 10, 0);
    expect([1, 1, 1, 3].map((units) => bucket.reserve(units, 1_000, 0))).toEqual([0, 0, 100, 400]);
    expect(bucket.reserve(1, 1_000, 400)).toBe(100);
  });

  it('is refused where it would take too long, and costs nothing then', () => {
    const bucket = new TokenBucket(1, 10, 0);
    bucket.reserve(1, 0, 0);
    expect(bucket.reserve(50, 1_000, 0)).toBe(5_000);
    expect(bucket.reserve(1, 1_000, 0)).toBe(100);
  });

  it('may be more than the bucket ever holds', () => {
    const bucket = new TokenBucket(1, 10, 0);
    expect(bucket.reserve(3, 1_000, 0)).toBe(200);
  });
});

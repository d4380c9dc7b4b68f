import { describe, expect, it } from 'vitest';
import { HandshakeRates } from '../../../server/connection/handshake-rates.ts';

describe('the rate of handshakes of an address', () => {
  it('lets a burst in, then so many a second, and says when; a refusal costs nothing', () => {
    const rates = new HandshakeRates({ handshakesPerSecond: 2, handshakeBurst: 3 });
    const at = (ms: number) => rates.take('a', 1_000_000 + ms);
    expect([at(0), at(0), at(0)]).toEqual([0, 0, 0]);
    expect([at(0), at(0), at(100)]).toEqual([500, 500, 400]);
    expect([at(500), at(500)]).toEqual([0, 500]);
    // The burst is whole again after as long as it takes at that rate.
    expect([at(10_000), at(10_000), at(10_000), at(10_000)]).toEqual([0, 0, 0, 500]);
  });

  it('counts each address by itself, nobody without one, and nobody where it is off', () => {
    const rates = new HandshakeRates({ handshakesPerSecond: 1, handshakeBurst: 1 });
    expect([rates.take('a', 0), rates.take('b', 0), rates.take('a', 0)]).toEqual([0, 0, 1_000]);
    expect([rates.take(null, 0), rates.take(null, 0)]).toEqual([0, 0]);
    const off = new HandshakeRates({ handshakesPerSecond: 0, handshakeBurst: 1 });
    expect([off.take('a', 0), off.take('a', 0)]).toEqual([0, 0]);
    expect(off.size).toBe(0);
  });

  it('forgets who may do all again, and remembers no more than so many, whoever comes', () => {
    const rates = new HandshakeRates({ handshakesPerSecond: 1, handshakeBurst: 5 }, 100);
    for (let n = 0; n < 10_000; n++) rates.take(`address ${n}`, 0);
    expect(rates.size).toBeLessThanOrEqual(100);
    for (let n = 0; n < 200; n++) rates.take(`later ${n}`, 60_000 + n * 1_000);
    expect(rates.size).toBeLessThan(10);
  });
});

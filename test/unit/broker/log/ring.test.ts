import { describe, expect, it } from 'vitest';
import { Ring } from '../../../../server/broker/log/ring.ts';

const BOUNDS = { entries: 1000, bytes: 100_000 };
const EPOCH = 7;

function ringOf(...payloads: string[]): Ring {
  const ring = new Ring(BOUNDS);
  for (const payload of payloads)
    ring.hear(
      { name: Buffer.from('chat'), payload: Buffer.from(payload), place: null },
      payload.includes('|'),
    );
  return ring;
}

const textsAfter = (ring: Ring, index: number, limit = 100) =>
  ring.after({ epoch: EPOCH, index }, limit, 1_000_000).map(({ payload }) => payload.toString());

describe('A ring', () => {
  it('writes nothing before it is aligned, whatever it heard', () => {
    const ring = ringOf('a', 'b');
    expect(ring.epoch).toBeNull();
    expect(ring.last).toBeNull();
    expect(textsAfter(ring, 0)).toEqual([]);
  });

  it('knows the index of each message by that of one', () => {
    const ring = ringOf('a', 'm|1|', 'b', 'c');
    expect(ring.align(2, { epoch: EPOCH, index: 41 })).toBe(true);
    expect(ring.last).toEqual({ epoch: EPOCH, index: 43 });
    expect(textsAfter(ring, 41)).toEqual(['b', 'c']);
    expect(textsAfter(ring, 42)).toEqual(['c']);
    expect(textsAfter(ring, 43)).toEqual([]);
  });

  it('has no answer for another epoch, nor for what it never heard', () => {
    const ring = ringOf('a', 'b');
    ring.align(1, { epoch: EPOCH, index: 10 });
    expect(ring.after({ epoch: EPOCH + 1, index: 10 }, 10, 10)).toEqual([]);
    expect(textsAfter(ring, 8)).toEqual([]);
    expect(textsAfter(ring, 9)).toEqual(['a', 'b']);
  });

  it('says where another marker contradicts what it knew', () => {
    const ring = ringOf('a', 'b', 'c');
    ring.align(1, { epoch: EPOCH, index: 10 });
    expect(ring.align(3, { epoch: EPOCH, index: 12 })).toBe(true);
    expect(ring.align(3, { epoch: EPOCH, index: 13 })).toBe(false);
    expect(ring.align(3, { epoch: EPOCH + 1, index: 2 })).toBe(true);
    expect(ring.last).toEqual({ epoch: EPOCH + 1, index: 2 });
  });

  it('remembers markers by their nonce, with their count', () => {
    const ring = ringOf('a', 'nonce|5|abc', 'b');
    expect(ring.marker('nonce')).toEqual({ nonce: 'nonce', calls: 5, runId: 'abc', count: 2 });
    expect(ring.marker('another')).toBeNull();
    for (let i = 0; i < 300; i++)
      ring.hear({ name: Buffer.from('m'), payload: Buffer.from(`n${i}|${i}|`), place: null }, true);
    expect(ring.marker('nonce')).toBeNull();
    expect(ring.markers).toHaveLength(200);
  });

  it('lets go what stands in the log, and goes on with the rest, also after thousands', () => {
    const ring = ringOf();
    ring.align(0, { epoch: EPOCH, index: 0 });
    for (let i = 1; i <= 5000; i++) {
      ring.hear({ name: Buffer.from('c'), payload: Buffer.from(String(i)), place: null }, false);
      if (i % 7 === 0) ring.prune({ epoch: EPOCH, index: i - 3 });
    }
    ring.prune({ epoch: EPOCH, index: 4990 });
    ring.prune({ epoch: EPOCH - 1, index: 5000 });
    expect(ring.size).toBe(5);
    expect(textsAfter(ring, 4995)).toEqual(['4996', '4997', '4998', '4999', '5000']);
    expect(textsAfter(ring, 4000)).toEqual([]);
  });

  it('forgets what came before a marker that begins the log anew', () => {
    const ring = ringOf('lost', 'm|1|', 'b');
    ring.forgetBefore(2);
    ring.align(2, { epoch: EPOCH, index: 2 });
    expect(textsAfter(ring, 1)).toEqual(['m|1|', 'b']);
  });

  it('gives batches that are bounded by number and bytes, and at least one', () => {
    const ring = ringOf('x'.repeat(100), 'y'.repeat(100), 'z');
    ring.align(0, { epoch: EPOCH, index: 0 });
    expect(textsAfter(ring, 0, 2)).toHaveLength(2);
    expect(ring.after({ epoch: EPOCH, index: 0 }, 10, 1)).toHaveLength(1);
    expect(ring.after({ epoch: EPOCH, index: 0 }, 10, 150)).toHaveLength(2);
  });

  it('overflows by number and by bytes', () => {
    const few = new Ring({ entries: 2, bytes: 1000 });
    const small = new Ring({ entries: 100, bytes: 10 });
    for (const ring of [few, small])
      for (const payload of ['aaaa', 'bbbb', 'cccc'])
        ring.hear({ name: Buffer.from('n'), payload: Buffer.from(payload), place: null }, false);
    expect([few.overflown, small.overflown]).toEqual([true, true]);
    few.forgetBefore(3);
    expect(few.overflown).toBe(false);
  });
});

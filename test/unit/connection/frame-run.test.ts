import { describe, expect, it } from 'vitest';
import { FrameRun } from '../../../server/connection/frame-run.ts';

const [a, b, c] = ['a', 'bb', 'ccc'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer];

describe('a run of frames', () => {
  it('of one frame is that frame, uncopied', () => {
    const run = new FrameRun(a, null);
    expect(run.joined()).toBe(a);
    expect(run.bytes).toBe(1);
    expect(run.is(a)).toBe(true);
    expect(run.is(b)).toBe(false);
  });

  it('holds its frames in their order', () => {
    const run = new FrameRun(b, null).followedBy(a).followedBy(c).followedBy(a);
    expect(run.joined().toString()).toBe('bbaccca');
    expect(run.bytes).toBe(7);
    expect(run.is(b)).toBe(false);
  });

  it('is one and the same for all who are sent the same, and joined once', () => {
    const first = new FrameRun(a, null);
    const runs = [1, 2, 3].map(() => first.followedBy(b)).map((run) => run.followedBy(c));
    expect(new Set(runs).size).toBe(1);
    expect(new Set(runs.map((run) => run.joined())).size).toBe(1);
  });

  it('parts where somebody is left out, and nobody gets what was for another', () => {
    const first = new FrameRun(a, null);
    const [one, leftOut, three] = [first.followedBy(b), first, first.followedBy(b)];
    const runs = [one, leftOut, three].map((run) => run.followedBy(c));
    expect(runs.map((run) => run.joined().toString())).toEqual(['abbccc', 'accc', 'abbccc']);
  });
});

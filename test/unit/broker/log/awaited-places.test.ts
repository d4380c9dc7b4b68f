import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AwaitedPlaces } from '../../../../server/broker/log/awaited-places.ts';

const at = (index: number, epoch = 5) => ({ epoch, index });
/** More microtasks than a promise of ours takes. */
const turn = () => vi.advanceTimersByTimeAsync(0);

describe('A place that is awaited', () => {
  const places = new AwaitedPlaces();
  let over: string[] = [];
  beforeEach(() => {
    vi.useFakeTimers();
    over = [];
  });
  afterEach(() => {
    places.giveUp();
    vi.useRealTimers();
  });

  const wait = (name: string, index: number, signal = new AbortController().signal) =>
    void places.reach(at(index), signal).then(() => over.push(name));

  it('is reached when it was read, or one after it; the others go on waiting', async () => {
    wait('third', 3);
    wait('fourth', 4);
    wait('ninth', 9);
    places.read(at(2));
    await turn();
    expect(over).toEqual([]);
    places.read(at(4));
    await turn();
    expect(over).toEqual(['third', 'fourth']);
    places.read(at(1, 6));
    await turn();
    expect(over).toEqual(['third', 'fourth', 'ninth']);
  });

  it('is awaited no longer than its asker is there, no longer than the bus, and not for ever', async () => {
    const gone = new AbortController();
    wait('who goes', 3, gone.signal);
    wait('who was gone before', 3, AbortSignal.abort());
    await turn();
    expect(over).toEqual(['who was gone before']);
    gone.abort();
    await turn();
    expect(over.slice(1)).toEqual(['who goes']);
    wait('who stays', 3);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(over.slice(2)).toEqual(['who stays']);
    wait('who waits as the bus ends', 3);
    places.giveUp();
    await turn();
    expect(over.slice(3)).toEqual(['who waits as the bus ends']);
    expect(vi.getTimerCount()).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import { HistoryQueue } from '../../../../server/broker/bus/history-queue.ts';

const at = (index: number) => ({ epoch: 1, index });

function filled(count: number): HistoryQueue<{ epoch: number; index: number }> {
  const queue = new HistoryQueue<{ epoch: number; index: number }>();
  for (let index = 1; index <= count; index++) queue.push(at(index * 2));
  return queue;
}

describe('A queue of the history', () => {
  it('gives what comes after a place, whether something stands there or not', () => {
    const queue = filled(4);
    expect([...queue.after(at(0))]).toEqual([2, 4, 6, 8].map(at));
    expect([...queue.after(at(4))]).toEqual([6, 8].map(at));
    expect([...queue.after(at(5))]).toEqual([6, 8].map(at));
    expect([...queue.after(at(8))]).toEqual([]);
    expect([...queue.after({ epoch: 0, index: 99 })]).toHaveLength(4);
    expect([...queue.after({ epoch: 2, index: 0 })]).toEqual([]);
  });

  it('does not give what was taken from its front, before and after its places move up', () => {
    const queue = filled(3000);
    for (let taken = 1; taken <= 3000; taken++) {
      expect(queue.first()).toEqual(at(taken * 2));
      queue.shift();
      expect(queue.length).toBe(3000 - taken);
      expect(queue.after(at(0)).next().value).toEqual(taken < 3000 ? at(taken * 2 + 2) : undefined);
    }
    expect(queue.first()).toBeUndefined();
  });

  it('takes nothing from an empty one, and goes on', () => {
    const queue = filled(0);
    queue.shift();
    queue.push(at(7));
    expect(queue.length).toBe(1);
    expect(queue.first()).toEqual(at(7));
  });
});

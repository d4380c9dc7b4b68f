import { describe, expect, it } from 'vitest';
import { OneOrder, verdictOf } from '../../../../server/pages/demo/browser/room/one-order.ts';

const said = (text: string, senderId = 1) => ({ senderId, senderName: `user ${senderId}`, text });

/** Panes hear the texts given, each in its own order, at time 0. */
function heard(...panes: string[][]): OneOrder {
  const order = new OneOrder(panes.length);
  panes.forEach((texts, pane) => {
    for (const text of texts) order.record(pane, said(text), 0);
  });
  return order;
}

const numbers = (order: OneOrder) => order.columns().map((column) => column.numbers);

describe('the one order of three panes', () => {
  it('numbers alike what all heard in the same order', () => {
    const order = heard(['a', 'b'], ['a', 'b'], ['a', 'b']);
    expect(numbers(order)).toEqual([
      [1, 1, 1],
      [2, 2, 2],
    ]);
    expect(verdictOf(order.columns())).toEqual({ shared: 2, same: true });
  });

  it('shows it when one pane heard another order', () => {
    const order = heard(['a', 'b'], ['b', 'a'], ['a', 'b']);
    expect(numbers(order)).toEqual([
      [1, 2, 1],
      [2, 1, 2],
    ]);
    expect(verdictOf(order.columns())).toEqual({ shared: 2, same: false });
  });

  it('leaves out of the count what only one pane heard', () => {
    const order = heard(['a', 'b'], ['a', 'secret', 'b'], ['a', 'b']);
    const columns = order.columns();
    expect(columns.map((c) => c.text)).toEqual(['a', 'b', 'secret']);
    expect(columns[2]).toMatchObject({ numbers: [null, null, null], heardBy: [false, true, false] });
    expect(verdictOf(columns)).toEqual({ shared: 2, same: true });
  });

  it('gives no number before the last pane has heard', () => {
    expect(numbers(heard(['a'], ['a'], []))).toEqual([[null, null, null]]);
  });

  it('tells equal words of two people, and of one person twice, apart', () => {
    const order = new OneOrder(2);
    for (const pane of [0, 1]) {
      order.record(pane, said('yahho', 1), 0);
      order.record(pane, said('yahho', 2), 0);
      order.record(pane, said('yahho', 1), 0);
    }
    expect(numbers(order)).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
  });

  it('takes equal words much later for a new message, which a pane that was away has not missed', () => {
    const order = new OneOrder(2);
    order.record(0, said('yahho'), 0);
    order.record(0, said('yahho'), 60_000);
    order.record(1, said('yahho'), 60_000);
    expect(numbers(order)).toEqual([
      [null, null],
      [1, 1],
    ]);
  });

  it('counts on when it forgets what is long past', () => {
    const order = new OneOrder(2);
    for (let n = 1; n <= 250; n++) for (const pane of [0, 1]) order.record(pane, said(`${n}`), n);
    const columns = order.columns();
    expect(columns).toHaveLength(200);
    expect(columns.at(-1)).toMatchObject({ text: '250', numbers: [250, 250] });
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { History, type HistoryBounds, wholePlaces } from '../../../../server/broker/bus/history.ts';

const WIDE: HistoryBounds = { historyMs: 1000, historyEntries: 1000, historyBytes: 1_000_000 };
const at = (index: number, epoch = 5) => ({ epoch, index });
const ALL = new Set(['a', 'b', 'c']);

const open = (bounds: Partial<HistoryBounds> = {}) => new History({ ...WIDE, ...bounds }, at(0));
const add = (history: History, index: number, channel = 'a') =>
  history.add(at(index), channel, Buffer.from(`m${index}`));
const places = (history: History, from = at(0), channels: ReadonlySet<string> = ALL, limit = 100) =>
  history
    .after(from, channels, limit)
    .map((i) => `${i.type === 'entry' ? i.channel : i.reason}@${i.position}`);

describe('The history', () => {
  let nowMs = 0;
  beforeEach(() => {
    nowMs = 10_000;
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  });
  afterEach(() => vi.restoreAllMocks());

  it('begins empty, after the place that it was given', () => {
    const history = open();
    expect([history.last, history.floor, history.size, history.bytes]).toEqual([at(0), at(0), 0, 0]);
    expect(places(history)).toEqual([]);
  });

  it('gives the channels that were asked for in their one order', () => {
    const history = open();
    for (const [i, channel] of [...'abcabcba'].entries()) add(history, i + 1, channel);
    expect(places(history)).toEqual(['a@5-1', 'b@5-2', 'c@5-3', 'a@5-4', 'b@5-5', 'c@5-6', 'b@5-7', 'a@5-8']);
    expect(places(history, at(2), new Set(['c', 'a', 'nobody']))).toEqual([
      'c@5-3',
      'a@5-4',
      'c@5-6',
      'a@5-8',
    ]);
    expect(places(history, at(3), ALL, 2)).toEqual(['a@5-4', 'b@5-5']);
    expect(places(history, at(0), new Set())).toEqual([]);
  });

  it('keeps payloads byte for byte', () => {
    const history = open();
    const bytes = Buffer.from([0, 255, 13, 10, 0xc3, 0x28]);
    history.add(at(1), 'a', bytes);
    history.add(at(2), 'a', Buffer.alloc(0));
    expect(history.after(at(0), ALL, 9)).toEqual([
      { type: 'entry', channel: 'a', payload: bytes, position: '5-1' },
      { type: 'entry', channel: 'a', payload: Buffer.alloc(0), position: '5-2' },
    ]);
  });

  it('shows a gap at its place, whichever channels are asked for', () => {
    const history = open();
    add(history, 1);
    history.gap(at(0, 6), 'log_restarted');
    history.add(at(1, 6), 'b', Buffer.from('x'));
    expect(places(history)).toEqual(['a@5-1', 'log_restarted@6-0', 'b@6-1']);
    expect(places(history, at(1), new Set(['c']))).toEqual(['log_restarted@6-0']);
    expect(places(history, at(0, 6))).toEqual(['b@6-1']);
    expect(history.last).toEqual(at(1, 6));
  });

  it('moves on over what nobody is given', () => {
    const history = open();
    add(history, 1);
    history.pass(at(2));
    expect([history.last, history.floor, history.size]).toEqual([at(2), at(0), 1]);
  });

  it('keeps all of one place together at a limit', () => {
    const history = open();
    add(history, 1);
    history.gap(at(4), 'log_hole');
    add(history, 4, 'a');
    add(history, 4, 'b');
    add(history, 5);
    expect(places(history, at(0), ALL, 2)).toEqual(['a@5-1', 'log_hole@5-4', 'a@5-4', 'b@5-4']);
    expect(wholePlaces([], 2)).toEqual([]);
  });

  it('lets go what is older than historyMs, and no earlier', () => {
    const history = open({ historyMs: 1000 });
    add(history, 1);
    nowMs += 400;
    add(history, 2);
    nowMs += 600;
    history.prune();
    expect([history.size, history.floor]).toEqual([2, at(0)]);
    nowMs += 1;
    history.prune();
    expect([places(history), history.floor]).toEqual([['a@5-2'], at(1)]);
    nowMs += 1000;
    add(history, 3);
    expect([places(history), history.floor, history.last]).toEqual([['a@5-3'], at(2), at(3)]);
  });

  it('keeps no more than historyEntries, gaps among them', () => {
    const history = open({ historyEntries: 3 });
    add(history, 1);
    history.gap(at(2), 'log_hole');
    for (const index of [3, 4]) add(history, index, 'b');
    expect(places(history)).toEqual(['log_hole@5-2', 'b@5-3', 'b@5-4']);
    expect(history.floor).toEqual(at(1));
    add(history, 5, 'b');
    expect(places(history)).toEqual(['b@5-3', 'b@5-4', 'b@5-5']);
    expect(history.floor).toEqual(at(2));
  });

  it('keeps no more than historyBytes, and counts back to nothing', () => {
    const history = open({ historyBytes: 2500 });
    for (let index = 1; index <= 5; index++) history.add(at(index), 'a', Buffer.alloc(299));
    expect(history.bytes).toBe(2000);
    expect(places(history)).toEqual(['a@5-4', 'a@5-5']);
    history.add(at(6), 'a', Buffer.alloc(5000));
    expect([history.size, history.bytes, history.floor, history.last]).toEqual([0, 0, at(6), at(6)]);
  });
});

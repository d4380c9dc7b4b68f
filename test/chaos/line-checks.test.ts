import { beforeEach, describe, expect, it } from 'vitest';
import { Journal } from './journal.ts';
import { type Hearing, Line } from './line.ts';
import { emptyTally, LineCheck } from './line-check.ts';
import { Recorder } from './report.ts';

const WIRE = 'private-chat:7';

let recorder: Recorder;
let journal: Journal;
let check: LineCheck;
let line: Line;

/** @param accuses as on the row with a history */
const begin = (accuses = true, raw = false) => {
  recorder = new Recorder(() => {});
  journal = new Journal('redis://127.0.0.1:1', '', []);
  check = new LineCheck({ journal, recorder, storyOf: () => '', accuses });
  line = new Line('e00', { wire: WIRE, kind: 'private' }, raw, 500, new Set(['1.1', '2.2']));
};

/** Publishes numbers in order. */
const publish = (from: number, to: number, socket: string | null = null) => {
  for (let n = from; n <= to; n++)
    journal.take(WIRE, JSON.stringify({ event: 'E', data: { message: `E:${n}` }, socket }));
};

const GAP = 'gap';
const WHOLE: Hearing = { position: null, excused: false, stretch: { offset: null } };
const hear = (...items: (number | typeof GAP)[]) => {
  for (const item of items)
    if (item === GAP) check.told(line);
    else hearAs(WHOLE, item);
};

const hearAs = (hearing: Hearing, n: number) =>
  check.arrived(line, `E:${n}@${WIRE}`, ['2.2', '1.1'], hearing);

const settle = () => {
  check.settle(line);
  return check.tally;
};

describe('pages: the check', () => {
  beforeEach(() => {
    begin();
  });

  it('is content with everything once and in order, over quiet points too', () => {
    publish(1, 3);
    hear(1, 2, 3);
    expect(check.behind(line)).toEqual([]);
    settle();
    publish(4, 5);
    hear(4, 5);
    expect(settle()).toEqual({ ...emptyTally(), expected: 5 });
    expect(recorder.violations).toEqual({});
  });

  it('waits for what is under way, and sees that it never came', () => {
    publish(1, 4);
    hear(1, 4);
    expect(check.behind(line).map(({ id }) => id)).toEqual([`E:2@${WIRE}`, `E:3@${WIRE}`]);
    expect(settle()).toMatchObject({ expected: 4, missing: 2, silent: 2 });
    expect(recorder.violations).toEqual({ 'page lost silently': 2 });
  });

  it('sees the last one missing', () => {
    publish(1, 2);
    hear(1);
    expect(settle()).toMatchObject({ missing: 1, silent: 1 });
  });

  it('waits for the journal, which may hear later than a page', () => {
    hear(1);
    expect(check.behind(line)).toEqual([]);
    publish(1, 2);
    hear(2);
    expect(settle()).toMatchObject({ expected: 2, missing: 0 });
    expect(recorder.violations).toEqual({});
  });

  it('counts what is missing where the page was told', () => {
    publish(1, 5);
    hear(1, GAP, 4, 5);
    expect(check.behind(line)).toEqual([]);
    expect(settle()).toMatchObject({ expected: 5, missing: 2, silent: 0, notices: 1 });
    expect(recorder.violations).toEqual({});
  });

  it('holds it against one who was told, where nothing at all may be lost', () => {
    check.lossless = true;
    publish(1, 3);
    hear(1, GAP, 3);
    settle();
    expect(recorder.violations).toEqual({ 'page lost in ops': 1 });
  });

  it('sees that a page was told at another place', () => {
    publish(1, 5);
    hear(1, 4, GAP, 5);
    expect(settle()).toMatchObject({ missing: 2, silent: 2 });
  });

  it('takes a notice for nothing that is published after the quiet point', () => {
    publish(1, 1);
    hear(1, GAP);
    settle();
    publish(2, 3);
    hear(3);
    expect(settle()).toMatchObject({ missing: 1, silent: 1 });
  });

  it('sees one that comes twice, at once or over a quiet point', () => {
    publish(1, 2);
    hear(1, 1, 2);
    settle();
    hear(2);
    expect(settle()).toMatchObject({ doubled: 2, disorder: 0, missing: 0 });
    expect(recorder.violations).toEqual({ 'page heard twice': 2 });
  });

  describe('counts apart what comes again to a page', () => {
    const on = (offset: string) => ({ offset });
    const bare = { position: null, excused: true };

    it('that came back with a position before it, for a reason', () => {
      publish(1, 2);
      hearAs({ ...bare, stretch: on('5-1') }, 1);
      hearAs({ ...bare, stretch: on('5-1') }, 2);
      hearAs({ position: '5-1', excused: true, stretch: on('5-9') }, 1);
      hearAs({ position: '5-2', excused: true, stretch: on('5-9') }, 2);
      // The place of the first was not after the page's.
      expect(settle()).toMatchObject({ doubled: 1, straggled: 1 });
    });

    it('that was set back after it, but not to before it', () => {
      publish(1, 2);
      const stretch = on('5-1');
      hearAs({ position: '5-1', excused: true, stretch }, 1);
      hearAs({ position: '5-2', excused: true, stretch }, 2);
      hear(1, 2);
      expect(settle()).toMatchObject({ doubled: 1, straggled: 1 });
    });

    it('but not without a reason that the page knows', () => {
      publish(1, 1);
      hearAs({ position: null, excused: false, stretch: on('5-0') }, 1);
      hearAs({ position: '5-1', excused: true, stretch: on('5-9') }, 1);
      expect(settle()).toMatchObject({ doubled: 1, straggled: 0 });
    });

    it('but not on the same connection, nor a third time', () => {
      publish(1, 2);
      const stretch = on('5-0');
      hearAs({ ...bare, stretch }, 1);
      hearAs({ ...bare, stretch }, 1);
      expect(settle()).toMatchObject({ doubled: 1, straggled: 0 });
      hearAs({ ...bare, stretch: on('5-1') }, 2);
      hearAs({ position: '5-2', excused: true, stretch: on('5-9') }, 2);
      hear(2);
      expect(settle()).toMatchObject({ doubled: 2, straggled: 1 });
    });
  });

  it('sees a wrong order', () => {
    publish(1, 3);
    hear(1, 3, 2);
    expect(settle()).toMatchObject({ disorder: 1, missing: 0 });
    expect(recorder.violations).toEqual({ 'page heard out of order': 1 });
  });

  it('owes nobody his own, and sees him hear it, by a former id too', () => {
    publish(1, 2, '1.1');
    expect(settle()).toEqual(emptyTally());
    hear(2);
    expect(settle()).toMatchObject({ own: 1 });
    expect(recorder.violations).toEqual({ 'page heard its own': 1 });
  });

  it('sees what was never published, or on another channel', () => {
    hear(9);
    settle();
    journal.take('ticker', JSON.stringify({ event: 'E', data: { message: 'E:1' }, socket: null }));
    check.arrived(line, 'E:1@ticker', [], WHOLE);
    settle();
    expect(recorder.violations).toEqual({ 'page heard what was not published': 2 });
  });

  it('owes a raw page the messages of its room alone', () => {
    begin(true, true);
    publish(1, 1);
    journal.take('broadcast', JSON.stringify({ channel: 'chat:7', data: { message: 'E:2' } }));
    expect(settle()).toMatchObject({ expected: 1, silent: 1 });
  });

  it('only counts on the control row', () => {
    begin(false);
    publish(1, 3);
    hear(1, 3, 3);
    expect(settle()).toMatchObject({ missing: 1, silent: 1, doubled: 1 });
    expect(recorder.violations).toEqual({});
  });
});

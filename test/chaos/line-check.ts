import { comparePositions, parsePosition } from '../../server/domain/position.ts';
import type { Journal, Published } from './journal.ts';
import type { HeardEvent, Hearing, Line } from './line.ts';
import type { Recorder, Violation } from './report.ts';

/** What the pages of a row were given under one mix of faults. */
export interface Tally {
  actions: number;
  cuts: number;
  /** Events and channels: what all pages together had to hear. */
  expected: number;
  missing: number;
  /** Missing, and the page was not told at that place. */
  silent: number;
  doubled: number;
  /**
   * Heard twice, since the page came back with a position before it, and for a reason that the page knows: another of
   * its channels had not got so far, so that the server held the position back or took it back. Better than a loss.
   */
  straggled: number;
  disorder: number;
  /** Heard by the page that had whispered or sent it `toOthers`. */
  own: number;
  /** Times that a page was told that something may be missing. */
  notices: number;
}

export function emptyTally(): Tally {
  return {
    actions: 0,
    cuts: 0,
    expected: 0,
    missing: 0,
    silent: 0,
    doubled: 0,
    straggled: 0,
    disorder: 0,
    own: 0,
    notices: 0,
  };
}

export interface LineCheckOptions {
  readonly journal: Journal;
  readonly recorder: Recorder;
  readonly storyOf: (page: string) => string;
  /** False on the control row, where losses are only counted. */
  readonly accuses: boolean;
}

/** Compares what pages heard, over all their connections, with what Redis published. */
export class LineCheck {
  readonly #options: LineCheckOptions;
  /** Of all that somebody heard with its position. */
  readonly #places = new Map<string, string>();
  tally = emptyTally();
  /** Whether even a loss that is told is one too many. */
  lossless = false;

  constructor(options: LineCheckOptions) {
    this.#options = options;
  }

  /** @param ownIds the socket ids that the server must know for the page's own */
  arrived(line: Line, id: string, ownIds: readonly string[], hearing: Hearing): void {
    this.#options.recorder.count(this.#options.accuses ? 'events heard by pages' : 'events heard by control');
    line.heard.push({ type: 'event', id, ownIds, hearing });
    if (hearing.position !== null) this.#places.set(id, hearing.position);
  }

  /** The page was told at this place that something may be missing. */
  told(line: Line): void {
    this.tally.notices++;
    line.heard.push({ type: 'notice' });
  }

  /** What a page still waits for, though nothing was told of it. */
  behind(line: Line): Published[] {
    this.#compare(line, false);
    return this.#missing(line).filter((entry) => !isTold(line, entry));
  }

  /** At a quiet point: everything must have come. */
  settle(line: Line): void {
    this.#compare(line, true);
    const { entries } = this.#options.journal;
    for (const entry of this.#missing(line)) {
      this.tally.missing++;
      if (!isTold(line, entry)) {
        this.tally.silent++;
        this.#accuse('page lost silently', line, entry.id);
      } else if (this.lossless) this.#accuse('page lost in ops', line, entry.id);
    }
    for (let index = line.cursor; index < entries.length; index++)
      if (line.isOwed(entries[index] as Published)) this.tally.expected++;
    line.cursor = entries.length;
    line.indexes.clear();
    line.notices = [];
    line.earlierIds = line.ids;
    line.ids = new Map();
  }

  #missing(line: Line): Published[] {
    const { entries } = this.#options.journal;
    const missing: Published[] = [];
    for (let index = line.cursor; index < entries.length; index++) {
      const entry = entries[index] as Published;
      if (!line.indexes.has(index) && line.isOwed(entry)) missing.push(entry);
    }
    return missing;
  }

  /** @param all false: what the journal has not heard itself yet waits, and what came after it */
  #compare(line: Line, all: boolean): void {
    const { heard } = line;
    const unknown = (item: Line['heard'][number]) =>
      item.type === 'event' && this.#options.journal.get(item.id) === undefined;
    const waits = all ? -1 : heard.findIndex(unknown);
    for (const item of heard.splice(0, waits < 0 ? heard.length : waits)) {
      if (item.type === 'event') this.#compareEvent(line, item);
      else line.notices.push({ after: line.lastIndex, before: Number.POSITIVE_INFINITY });
    }
  }

  #compareEvent(line: Line, { id, ownIds, hearing }: HeardEvent): void {
    const { journal } = this.#options;
    const entry = journal.get(id);
    if (entry === undefined) {
      if (!journal.wasBlind(journal.begunAt(id), 1_000))
        this.#accuse('page heard what was not published', line, id);
      return;
    }
    if (!line.concerns(entry)) this.#accuse('page heard what was not published', line, `${id}, of others`);
    if (entry.exceptSocketId !== null && ownIds.includes(entry.exceptSocketId)) {
      this.tally.own++;
      this.#accuse('page heard its own', line, id);
    }
    const first = line.ids.get(id) ?? line.earlierIds.get(id);
    if (first !== undefined) {
      // What is brought a third time needs a reason of its own.
      line.ids.set(id, hearing);
      if (this.#mayComeAgain(id, first, hearing)) this.tally.straggled++;
      else {
        this.tally.doubled++;
        this.#accuse('page heard twice', line, id, this.#bothHearings(id, first, hearing));
      }
      return;
    }
    line.ids.set(id, hearing);
    if (entry.index <= line.lastIndex) {
      this.tally.disorder++;
      this.#accuse('page heard out of order', line, id);
    }
    for (const notice of line.notices) notice.before = Math.min(notice.before, entry.index);
    line.lastIndex = Math.max(line.lastIndex, entry.index);
    line.indexes.add(entry.index);
  }

  /** Whether the page came back with a position before this event, and had a reason to. */
  #mayComeAgain(id: string, { excused, stretch }: Hearing, again: Hearing): boolean {
    if (!excused || again.stretch === stretch) return false;
    const [place, offset] = [this.#places.get(id), stretch.offset].map((text) => parsePosition(text ?? ''));
    return !place || !offset || comparePositions(place, offset) > 0;
  }

  /** What tells why it came again: the page's own doing, or ours. */
  #bothHearings(id: string, first: Hearing, again: Hearing): string {
    const show = ({ position, excused, stretch }: Hearing) =>
      `${position ?? 'bare'}${excused ? ' excused' : ''}, the page stood at ${stretch.offset}`;
    const where = first.stretch === again.stretch ? 'on the same connection' : 'on another one';
    return `; its place is ${this.#places.get(id)}; first ${show(first)}; again, ${where}, ${show(again)}`;
  }

  #accuse(kind: Violation, line: Line, id: string, more = ''): void {
    const { accuses, recorder, journal, storyOf } = this.#options;
    if (!accuses) return;
    const entry = journal.get(id);
    const when =
      entry === undefined ? '' : ` (published ${new Date(entry.heardAt).toISOString()} as ${entry.index})`;
    recorder.violation(
      kind,
      `${line.page} on ${line.plan.wire} (${line.plan.kind}): ${id}${when}${more}`,
      () => storyOf(line.page),
    );
  }
}

function isTold(line: Line, { index }: Published): boolean {
  return line.notices.some(({ after, before }) => after < index && index < before);
}

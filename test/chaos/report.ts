import type { Mix } from './faults.ts';
import type { Tally } from './line-check.ts';

/** What must never happen; each is counted, and the first ones are told in full. */
export const VIOLATIONS = [
  'lost silently',
  'gap not told to client',
  'repeated',
  'out of order',
  'misdelivered',
  'never published',
  'page lost silently',
  'page lost in ops',
  'page heard twice',
  'page heard out of order',
  'page heard its own',
  'page heard what was not published',
  'page not back',
  'control lost nothing',
  'stranger shown',
  'joined though shown',
  'left though not shown',
  'shown own leaving',
  'stayer shown leaving',
  'ghost member',
  'missing member',
  'stuck client',
  'unanswered command',
  'taken but not published',
  'answer out of turn',
  'heard without subscription',
  'unexpected refusal',
  'unexpected close',
  'told not to come back',
  'wrong count',
  'node not ready',
  'counter not zero',
  'left in Redis',
  'gaps miscounted',
  'bad exit',
  'error logged',
] as const;

export type Violation = (typeof VIOLATIONS)[number];

/** Told in full at most so many times of each kind. */
const STORIES_OF_A_KIND = 3;

/** One row of nodes: what its pages were given, for each mix of faults. */
export type Tallies = Readonly<Record<Mix, Tally>>;

export interface Report {
  readonly seed: number;
  readonly seconds: number;
  readonly violations: Readonly<Partial<Record<Violation, number>>>;
  readonly counts: Readonly<Record<string, number>>;
  readonly stories: readonly string[];
  /** Pages of the nodes with a history. */
  readonly pages: Tallies;
  /** Pages of the nodes on plain Pub/Sub. */
  readonly control: Tallies;
}

/** Counts, and tells what it must at once. */
export class Recorder {
  readonly counts: Record<string, number> = {};
  readonly violations: Partial<Record<Violation, number>> = {};
  readonly stories: string[] = [];
  readonly #say: (line: string) => void;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  count(what: string, by = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + by;
  }

  /** @param story asked only where it is told */
  violation(kind: Violation, text: string, story: () => string = () => ''): void {
    const count = (this.violations[kind] ?? 0) + 1;
    this.violations[kind] = count;
    if (count > STORIES_OF_A_KIND) return;
    const told = `VIOLATION ${kind}: ${text}\n${story()}`.trimEnd();
    this.stories.push(told);
    this.#say(told);
  }

  get failed(): boolean {
    return Object.keys(this.violations).length > 0;
  }
}

/** The tally as people read it, and as the documentation shows it. */
export function tallyTable({ counts, violations, pages, control }: Report): string {
  const names = [...Object.keys(counts), ...VIOLATIONS];
  const width = Math.max(...names.map((name) => name.length));
  const line = (name: string, value: number) => `  ${name.padEnd(width)}  ${String(value).padStart(8)}`;
  return [
    'what pages missed',
    ...pageTable(pages, control),
    'what happened',
    ...Object.entries(counts)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, value]) => line(name, value)),
    'what must be 0',
    ...VIOLATIONS.map((kind) => line(kind, violations[kind] ?? 0)),
  ].join('\n');
}

const COLUMNS = [
  'actions',
  'cuts',
  'expected',
  'missing',
  'silent',
  'doubled',
  'straggled',
  'disorder',
  'own',
  'notices',
] as const satisfies (keyof Tally)[];

function pageTable(pages: Tallies, control: Tallies): string[] {
  const row = (name: string, cells: readonly string[]) =>
    `  ${name.padEnd(13)}${cells.map((cell) => cell.padStart(10)).join('')}`;
  const rowOf = (name: string, tally: Tally) =>
    row(name, [
      ...COLUMNS.map((column) => String(tally[column])),
      `${((100 * tally.missing) / Math.max(1, tally.expected)).toFixed(2)} %`,
    ]);
  return [
    row('', [...COLUMNS, 'missing']),
    ...Object.entries(pages).map(([mix, tally]) => rowOf(mix, tally)),
    ...Object.entries(control).map(([mix, tally]) => rowOf(`plain, ${mix}`, tally)),
  ];
}

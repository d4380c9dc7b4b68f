/** What one pane heard, in words that all panes share. */
export interface Heard {
  readonly senderId: number | string;
  readonly senderName: string;
  readonly text: string;
}

export interface OrderColumn extends Heard {
  /** Grows by one for each column ever made; tells columns of equal text apart. */
  readonly id: number;
  /** Each pane's own number for it, counted among what every pane heard; null where not every pane has it. */
  readonly numbers: readonly (number | null)[];
  /** Which panes heard it. A message to one user is heard by one pane for good. */
  readonly heardBy: readonly boolean[];
}

interface Column extends Heard {
  readonly id: number;
  readonly since: number;
  /** Each pane's running count at the moment that it heard this; null before. */
  readonly counts: (number | null)[];
}

/** Frames carry no id, so equal words within this time are the same message, and later ones a new one. */
const SAME_MESSAGE_MS = 10_000;
const MAX_COLUMNS = 200;

/**
 * Lays what three panes heard side by side. Each pane numbers the room's messages in the order in which they
 * reached it; where the server keeps one order, all numbers of a column are equal.
 */
export class OneOrder {
  #columns: Column[] = [];
  #made = 0;
  /** Complete columns that were dropped: numbering goes on from there. */
  #dropped = 0;
  readonly #counts: number[];

  constructor(panes: number) {
    this.#counts = Array.from({ length: panes }, () => 0);
  }

  record(pane: number, heard: Heard, now: number): void {
    const known = this.#columns.find(
      (c) =>
        c.counts[pane] === null &&
        now - c.since < SAME_MESSAGE_MS &&
        c.senderId === heard.senderId &&
        c.text === heard.text,
    );
    const column = known ?? this.#newColumn(heard, now);
    const count = (this.#counts[pane] ?? 0) + 1;
    this.#counts[pane] = count;
    column.counts[pane] = count;
  }

  columns(): OrderColumn[] {
    const complete = this.#columns.filter(isComplete);
    const ranks = this.#counts.map((_, pane) => {
      const inOrder = complete.toSorted((a, b) => (a.counts[pane] ?? 0) - (b.counts[pane] ?? 0));
      return new Map(inOrder.map((column, index) => [column.id, this.#dropped + index + 1]));
    });
    return this.#columns.map(({ counts, since: _since, ...column }) => ({
      ...column,
      heardBy: counts.map((count) => count !== null),
      numbers: ranks.map((rank) => rank.get(column.id) ?? null),
    }));
  }

  #newColumn(heard: Heard, now: number): Column {
    const column = { ...heard, id: ++this.#made, since: now, counts: this.#counts.map(() => null) };
    this.#columns.push(column);
    if (this.#columns.length > MAX_COLUMNS) {
      const oldest = this.#columns.shift();
      if (oldest !== undefined && isComplete(oldest)) this.#dropped++;
    }
    return column;
  }
}

function isComplete(column: Column): boolean {
  return column.counts.every((count) => count !== null);
}

/** How many messages every pane heard, and whether all panes numbered them alike. */
export function verdictOf(columns: readonly OrderColumn[]): {
  readonly shared: number;
  readonly same: boolean;
} {
  const shared = columns.filter(({ numbers }) => numbers.every((n) => n !== null));
  return { shared: shared.length, same: shared.every(({ numbers }) => new Set(numbers).size === 1) };
}

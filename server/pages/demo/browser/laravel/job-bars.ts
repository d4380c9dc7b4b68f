import { make } from '../elements.ts';

export interface Progress {
  readonly type: string;
  readonly title: string;
  readonly detail: { readonly cursor: number; readonly total: number };
}

interface Bar {
  readonly row: HTMLElement;
  readonly bar: HTMLProgressElement;
  readonly count: HTMLElement;
}

const MAX_BARS = 3;

/** A bar for each job that is heard of, by its title; the newest jobs stay. */
export function createJobBars(list: HTMLElement): (progress: Progress) => void {
  const bars = new Map<string, Bar>();

  const addBar = (title: string): Bar => {
    const bar = make('progress', 'job-bar');
    bar.ariaLabel = title;
    const count = make('span', 'job-count');
    const row = make('li', 'job', make('span', 'job-title', title), count, bar);
    list.prepend(row);
    const added = { row, bar, count };
    bars.set(title, added);
    for (const [oldTitle, old] of bars) {
      if (bars.size <= MAX_BARS) break;
      old.row.remove();
      bars.delete(oldTitle);
    }
    return added;
  };

  return ({ type, title, detail: { cursor, total } }) => {
    if (type !== 'sample_job_progress') return;
    const { row, bar, count } = bars.get(title) ?? addBar(title);
    bar.max = total;
    bar.value = cursor;
    count.textContent = cursor === total ? `done, ${total} of ${total}` : `${cursor} of ${total}`;
    row.dataset.done = String(cursor === total);
  };
}

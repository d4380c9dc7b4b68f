import { comparePositions, formatPosition, type Position, parsePosition } from '../../domain/position.ts';
import type { GapReason, HistoryItem, Resumption } from './bus.ts';
import { type History, wholePlaces } from './history.ts';

/** Items that are given at once; the receiver's outbox has room for some pages of usual broadcasts. */
const PAGE_ITEMS = 200;
/** Bytes of payloads that are given at once, but for a single larger one: the last page is not paced by its reader. */
const PAGE_BYTES = 131_072;

/**
 * Gives what was missed page by page. A look at the history and what is done with it share one turn, so the page that
 * turns out to be the last goes live in it, with nothing between.
 *
 * The position is whatever a stranger sends: of another server, of the future, too old. It only ever opens channels
 * that were authorised before.
 */
export async function resumeFrom(history: History, resumption: Resumption): Promise<void> {
  const { from, channels, signal } = resumption;
  const end = (items: readonly HistoryItem[], complete: boolean) =>
    resumption.live(items, { complete, position: formatPosition(history.last) });
  if (signal.aborted) return;
  if (from === null) return end([], false);
  history.prune();
  let cursor = parsePosition(from);
  if (cursor === null || comparePositions(cursor, history.last) > 0)
    return end([gapAt(history.last, 'unknown_position')], false);

  let complete = true;
  for (;;) {
    const items = pageAfter(history, cursor, channels);
    const page = fitting(items);
    complete &&= page.every(({ type }) => type === 'entry');
    const last = page.at(-1);
    const isLast = items.length < PAGE_ITEMS && page.length === items.length;
    if (isLast || last === undefined) return end(page, complete);
    cursor = parsePosition(last.position) ?? cursor;
    await resumption.page(page);
    if (signal.aborted) return;
  }
}

/** What is no longer kept stands as a gap in front of what is. */
function pageAfter(
  history: History,
  cursor: Position,
  channels: ReadonlySet<string>,
): readonly HistoryItem[] {
  const page = history.after(cursor, channels, PAGE_ITEMS);
  return comparePositions(cursor, history.floor) < 0
    ? [gapAt(history.floor, 'history_trimmed'), ...page]
    : page;
}

function fitting(items: readonly HistoryItem[]): readonly HistoryItem[] {
  let bytes = 0;
  const tooMany = items.findIndex((item) => {
    bytes += item.type === 'entry' ? item.payload.length : 0;
    return bytes > PAGE_BYTES;
  });
  return tooMany < 0 ? items : wholePlaces(items, Math.max(1, tooMany));
}

function gapAt(at: Position, reason: GapReason): HistoryItem {
  return { type: 'gap', reason, position: formatPosition(at) };
}

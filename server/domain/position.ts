/**
 * A place in the history of all broadcasts: `<epoch>-<index>`. The epoch is a number of milliseconds since 1970, new
 * whenever broadcasts may have been lost for good; the index counts the entries of an epoch from 1. Clients keep it
 * as a text and send it back (protocol.md section 12).
 */
export interface Position {
  readonly epoch: number;
  readonly index: number;
}

const FORM = /^(\d{1,16})-(\d{1,16})$/;

/** @param text foreign input. @returns null for what no history of ours gave out */
export function parsePosition(text: string): Position | null {
  const [, epochText, indexText] = FORM.exec(text) ?? [];
  const [epoch, index] = [Number(epochText), Number(indexText)];
  return Number.isSafeInteger(epoch) && Number.isSafeInteger(index) ? { epoch, index } : null;
}

export function formatPosition({ epoch, index }: Position): string {
  return `${epoch}-${index}`;
}

/** Negative where `a` comes before `b`, zero where they are the same place. */
export function comparePositions(a: Position, b: Position): number {
  return a.epoch - b.epoch || a.index - b.index;
}

/** Where a client is that has all but what stands at this place. @param text a position of ours */
export function placeBefore(text: string): string {
  const position = parsePosition(text);
  return position === null ? text : formatPosition({ ...position, index: Math.max(0, position.index - 1) });
}

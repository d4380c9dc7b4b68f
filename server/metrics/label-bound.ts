/** What a label value of ours looks like; an error's text or a token mostly does not. */
const SHAPE = /^[a-z][a-z0-9_-]{0,39}$/;
const MAX_VALUES = 32;

/**
 * Keeps a label's values few, whatever a caller hands in: each makes a time series that is never forgotten, so
 * one slip (a channel's name as a reason) would let strangers fill the memory of this server and its Prometheus.
 */
export class LabelBound {
  readonly #seen = new Set<string>();

  /** @returns the value, or `other` where it is one too many or does not look like a word of ours */
  of(value: string): string {
    if (this.#seen.has(value)) return value;
    if (this.#seen.size >= MAX_VALUES || !SHAPE.test(value)) return 'other';
    this.#seen.add(value);
    return value;
  }
}

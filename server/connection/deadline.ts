/** setTimeout takes 32 bits: 24.8 days. A longer wait fires at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Calls back once at a moment that may be further away than setTimeout can wait. */
export class Deadline {
  #timer: NodeJS.Timeout | null = null;

  /** @param atMs milliseconds since 1970; replaces an earlier moment; null: never */
  set(atMs: number | null, callback: () => void): void {
    this.clear();
    if (atMs === null) return;
    const waitMs = Math.max(0, atMs - Date.now());
    this.#timer =
      waitMs > MAX_TIMEOUT_MS
        ? setTimeout(() => this.set(atMs, callback), MAX_TIMEOUT_MS)
        : setTimeout(callback, waitMs);
  }

  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

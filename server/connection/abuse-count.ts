/** Counts bad frames in a moving window (protocol.md section 3: 50 in 10 s end the connection). */
export class AbuseCount {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #timesMs: number[] = [];

  /**
   * @param limit bad frames that end the connection, from 1
   * @param windowMs the window in milliseconds
   */
  constructor(limit: number, windowMs: number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /** @returns true where this bad frame is one too many */
  add(nowMs: number = Date.now()): boolean {
    this.#timesMs.push(nowMs);
    if (this.#timesMs.length > this.#limit) this.#timesMs.shift();
    const oldestMs = this.#timesMs[0] ?? nowMs;
    return this.#timesMs.length === this.#limit && nowMs - oldestMs <= this.#windowMs;
  }
}

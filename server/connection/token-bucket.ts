/** How fast a client may send commands: a burst, then a steady rate. */
export class TokenBucket {
  readonly #burst: number;
  readonly #perSecond: number;
  #tokens: number;
  #filledAtMs: number;

  /**
   * @param burst commands at once, from 1
   * @param perSecond commands a second once the burst is used up, above 0
   */
  constructor(burst: number, perSecond: number, nowMs: number = Date.now()) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#tokens = burst;
    this.#filledAtMs = nowMs;
  }

  /** @returns false where the command is too much */
  take(nowMs: number = Date.now()): boolean {
    const elapsedMs = Math.max(0, nowMs - this.#filledAtMs);
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsedMs / 1000) * this.#perSecond);
    this.#filledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}

/** How fast something may come: a burst, then a steady rate. */
export class TokenBucket {
  readonly #burst: number;
  readonly #perSecond: number;
  #tokens: number;
  #filledAtMs: number;

  /**
   * @param burst units at once, from 1
   * @param perSecond units a second once the burst is used up, above 0
   */
  constructor(burst: number, perSecond: number, nowMs: number = Date.now()) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#tokens = burst;
    this.#filledAtMs = nowMs;
  }

  /** @returns false where one more is too much; nothing is taken then */
  take(nowMs: number = Date.now()): boolean {
    this.#fill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /**
   * Takes what is not there yet, as long as it will be within `maxWaitMs`.
   * @returns how long to wait, in milliseconds; where that is more than `maxWaitMs`, nothing was taken
   */
  reserve(units: number, maxWaitMs: number, nowMs: number = Date.now()): number {
    this.#fill(nowMs);
    const waitMs = this.#waitMs(units);
    if (waitMs <= maxWaitMs) this.#tokens -= units;
    return waitMs;
  }

  /** Milliseconds until one may be taken. */
  waitMs(nowMs: number = Date.now()): number {
    this.#fill(nowMs);
    return this.#waitMs(1);
  }

  #waitMs(units: number): number {
    return Math.ceil((Math.max(0, units - this.#tokens) / this.#perSecond) * 1000);
  }

  #fill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#filledAtMs);
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsedMs / 1000) * this.#perSecond);
    this.#filledAtMs = nowMs;
  }
}

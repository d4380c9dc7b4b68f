export interface HandshakeSettings {
  /** New connections a second of one address, once the burst is used up; 0: no limit. */
  readonly handshakesPerSecond: number;
  /** New connections of one address at once; from 1. */
  readonly handshakeBurst: number;
}

/** Addresses that are remembered at most: some 10 MB. */
const MAX_ADDRESSES = 100_000;
/** Looked at with each newcomer, so that those who are forgotten need no timer. */
const SWEPT_AT_ONCE = 4;

/**
 * How fast the clients of one address may come. One number for each address: when its burst would be whole again. An
 * address whose burst is whole is forgotten. Where strangers have more addresses than are remembered, the one that came
 * first begins anew: who has so many is not held by a limit for one.
 */
export class HandshakeRates {
  readonly #perHandshakeMs: number;
  readonly #burstMs: number;
  readonly #maxAddresses: number;
  /** In the order in which they last came. */
  readonly #wholeAtMs = new Map<string, number>();

  constructor(
    { handshakesPerSecond, handshakeBurst }: HandshakeSettings,
    maxAddresses: number = MAX_ADDRESSES,
  ) {
    this.#perHandshakeMs = handshakesPerSecond === 0 ? 0 : 1000 / handshakesPerSecond;
    this.#burstMs = this.#perHandshakeMs * handshakeBurst;
    this.#maxAddresses = maxAddresses;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#wholeAtMs.size;
  }

  /**
   * @param address null: not counted
   * @returns 0 where it may come in, else milliseconds until it may; a refusal costs it nothing
   */
  take(address: string | null, nowMs: number = Date.now()): number {
    if (address === null || this.#perHandshakeMs === 0) return 0;
    const wholeAtMs = Math.max(nowMs, this.#wholeAtMs.get(address) ?? 0) + this.#perHandshakeMs;
    const waitMs = wholeAtMs - nowMs - this.#burstMs;
    if (waitMs > 0) return Math.ceil(waitMs);
    this.#wholeAtMs.delete(address);
    this.#wholeAtMs.set(address, wholeAtMs);
    this.#sweep(nowMs);
    return 0;
  }

  #sweep(nowMs: number): void {
    let looked = 0;
    for (const [address, wholeAtMs] of this.#wholeAtMs) {
      if (looked++ >= SWEPT_AT_ONCE) break;
      if (wholeAtMs <= nowMs || this.#wholeAtMs.size > this.#maxAddresses) this.#wholeAtMs.delete(address);
    }
  }
}

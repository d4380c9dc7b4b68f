import { type Refusal, refusalOf } from './wire.ts';

/** Those who wait for a subscription: each is let through by null, or turned away with a refusal. */
export class Waiters {
  readonly #waiting = new Set<(refusal: Refusal | null) => void>();

  /** Waits at most `timeoutMs`: a send that nobody takes must not stay pending with its page. */
  wait(timeoutMs: number): Promise<Refusal | null> {
    return new Promise((resolve) => {
      const settle = (refusal: Refusal | null): void => {
        clearTimeout(timer);
        this.#waiting.delete(settle);
        resolve(refusal);
      };
      const late = refusalOf('unavailable', 'the channel is not subscribed: nothing was sent');
      const timer = setTimeout(() => settle(late), timeoutMs);
      this.#waiting.add(settle);
    });
  }

  /** Settles all, in the order in which they came. */
  settle(refusal: Refusal | null): void {
    for (const settle of [...this.#waiting]) settle(refusal);
  }
}

import { type Rejection, reject } from '../domain/outcome.ts';

interface Shared<T> {
  readonly answer: Promise<T>;
  readonly abort: AbortController;
  waiters: number;
}

/**
 * One run for all who ask the same at the same time. Who leaves stops waiting while the run goes on for the
 * others; the last to leave ends it.
 */
export class SharedQuestions<T> {
  readonly #underWay = new Map<string, Shared<T>>();

  /** Questions under way: zero when nobody waits. */
  get size(): number {
    return this.#underWay.size;
  }

  has(identity: string): boolean {
    return this.#underWay.has(identity);
  }

  /**
   * @param run called only if nobody asks the same just now; must not throw
   * @returns the answer, or `cancelled` as soon as `signal` aborts
   */
  async ask(
    identity: string,
    signal: AbortSignal,
    run: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | Rejection> {
    if (signal.aborted) return cancelled();
    const shared = this.#underWay.get(identity) ?? this.#begin(identity, run);
    shared.waiters++;
    try {
      return await untilAborted(shared.answer, signal);
    } finally {
      if (--shared.waiters === 0) this.#end(identity, shared);
    }
  }

  #begin(identity: string, run: (signal: AbortSignal) => Promise<T>): Shared<T> {
    const abort = new AbortController();
    const shared = { answer: run(abort.signal), abort, waiters: 0 };
    this.#underWay.set(identity, shared);
    return shared;
  }

  /**
   * Forgotten before it is aborted: who asks in the meantime must not get an aborted run's answer. An answer is
   * never kept either: who asks later may find another right.
   */
  #end(identity: string, shared: Shared<T>): void {
    this.#underWay.delete(identity);
    shared.abort.abort();
  }
}

function untilAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T | Rejection> {
  return new Promise((resolve, fail) => {
    const leave = () => resolve(cancelled());
    signal.addEventListener('abort', leave, { once: true });
    answer.then(resolve, fail).finally(() => signal.removeEventListener('abort', leave));
  });
}

function cancelled(): Rejection {
  return reject('cancelled', 'nobody waits for this answer any more');
}

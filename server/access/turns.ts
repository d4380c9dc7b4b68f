interface Waiter {
  readonly call: (taken: boolean) => void;
}

/**
 * So many at a time; the others wait in rows, one for each key (a connection), and the rows are served in rotation:
 * who asks for one channel does not wait behind somebody's thousand. Who leaves takes up no place any more.
 */
export class Turns {
  readonly #rows = new Map<string, Set<Waiter>>();
  #free: number;
  #waiting = 0;

  /** @param atOnce turns that may be taken at a time, from 1 */
  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  /** Those who wait for a turn. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether a turn can be had without waiting. */
  get isFree(): boolean {
    return this.#free > 0;
  }

  /**
   * Resolves with true when the turn has come: it MUST be given back, or there is one less for good. With false as
   * soon as the signal aborts: then there is none to give back.
   */
  take(key: string, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const leave = () => {
        this.#remove(key, waiter);
        resolve(false);
      };
      const waiter: Waiter = {
        call: (taken) => {
          signal.removeEventListener('abort', leave);
          resolve(taken);
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#add(key, waiter);
    });
  }

  /** Ends a turn; the next one's begins. */
  give(): void {
    const next = this.#next();
    if (next === null) this.#free++;
    else next.call(true);
  }

  #add(key: string, waiter: Waiter): void {
    const row = this.#rows.get(key);
    if (row === undefined) this.#rows.set(key, new Set([waiter]));
    else row.add(waiter);
    this.#waiting++;
  }

  #remove(key: string, waiter: Waiter): void {
    const row = this.#rows.get(key);
    if (row?.delete(waiter) !== true) return;
    this.#waiting--;
    if (row.size === 0) this.#rows.delete(key);
  }

  #next(): Waiter | null {
    for (const [key, row] of this.#rows) {
      for (const waiter of row) {
        this.#remove(key, waiter);
        // Behind the others' rows.
        if (this.#rows.delete(key)) this.#rows.set(key, row);
        return waiter;
      }
    }
    return null;
  }
}

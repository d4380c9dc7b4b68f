/** Things that arrive, and tests that wait for them: each entry is taken once, in order. */
export class Inbox<Entry> {
  readonly #entries: Array<{ readonly value: Entry; isTaken: boolean }> = [];
  readonly #waiting: Array<() => void> = [];

  get all(): Entry[] {
    return this.#entries.map((entry) => entry.value);
  }

  put(value: Entry): void {
    this.#entries.push({ value, isTaken: false });
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** The first entry not yet taken that fits; waits for it. The test's own time limit ends a vain wait. */
  async next(fits: (entry: Entry) => boolean = () => true): Promise<Entry> {
    for (;;) {
      const found = this.#entries.find((entry) => !entry.isTaken && fits(entry.value));
      if (found) {
        found.isTaken = true;
        return found.value;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

/** So long nothing may come before what is still due counts as lost, in milliseconds. */
const STALLED_MS = 4000;

/** Counts what is due until all is there or nothing comes any more. */
export class Progress {
  received = 0;
  readonly #due: number;
  readonly #watch: NodeJS.Timeout;
  readonly #over: Promise<void>;
  #finish: () => void = () => {};
  #lastSeen = 0;
  #lastSeenAtMs = performance.now();

  constructor(due: number, stalledMs: number = STALLED_MS) {
    this.#due = due;
    this.#over = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#watch = setInterval(() => {
      if (this.received !== this.#lastSeen) {
        this.#lastSeen = this.received;
        this.#lastSeenAtMs = performance.now();
      } else if (performance.now() - this.#lastSeenAtMs > stalledMs) this.#finish();
    }, 100);
    if (due === 0) this.#finish();
  }

  arrived(): void {
    this.received++;
    if (this.received === this.#due) this.#finish();
  }

  /** @returns how many are missing */
  async end(): Promise<number> {
    await this.#over;
    clearInterval(this.#watch);
    return this.#due - this.received;
  }
}

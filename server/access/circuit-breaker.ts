export interface BreakerSettings {
  /** Failures in a row that open it, from 1; 0: it never opens. Default 20. */
  readonly failures: number;
  /** How long nobody is let through the first time, in milliseconds; doubled each time the trial fails. Default 2,000. */
  readonly pauseMs: number;
}

/** One that was let through. */
export interface Passage {
  /** The one whose outcome decides for all while the breaker is open. */
  readonly isTrial: boolean;
}

/** Longest pause, as a multiple of the first. */
const MAX_PAUSE_FACTOR = 16;
/** By how much those who are sent away are told to stay longer, by chance: they must not come back all at once. */
const SPREAD = 0.5;

/**
 * Leaves somebody alone who does not answer: after so many failures in a row it opens, and nobody is let through for a
 * pause; then one is, whose outcome decides for all. Without it each of thousands would wait for a whole time limit.
 */
export class CircuitBreaker {
  readonly #settings: BreakerSettings;
  #failures = 0;
  #pauses = 0;
  /** When the next trial may be let through; null while it is closed. */
  #trialAtMs: number | null = null;
  #trial: Passage | null = null;

  constructor(settings: BreakerSettings) {
    this.#settings = settings;
  }

  get isOpen(): boolean {
    return this.#trialAtMs !== null;
  }

  /** How long to stay away, in milliseconds; null: one may be let through now. Changes nothing. */
  awayMs(nowMs: number = performance.now()): number | null {
    if (this.#trialAtMs === null) return null;
    const leftMs = this.#trial === null ? this.#trialAtMs - nowMs : this.#settings.pauseMs;
    return leftMs <= 0 ? null : leftMs * (1 + SPREAD * Math.random());
  }

  /** Lets one through, whose outcome MUST be told by `saw`. Ask `awayMs` first, in the same turn. */
  enter(): Passage {
    const passage = { isTrial: this.isOpen };
    if (passage.isTrial) this.#trial = passage;
    return passage;
  }

  /**
   * @param answered whether there was an answer; null: nobody waited for the outcome, so that it tells nothing
   * @returns whether this opened or closed it
   */
  saw(passage: Passage, answered: boolean | null, nowMs: number = performance.now()): boolean {
    const wasOpen = this.isOpen;
    if (answered === true) this.#close();
    else if (answered === false) this.#fail(passage, nowMs);
    if (this.#trial === passage) this.#trial = null;
    return wasOpen !== this.isOpen;
  }

  #close(): void {
    this.#failures = 0;
    this.#pauses = 0;
    this.#trialAtMs = null;
  }

  #fail({ isTrial }: Passage, nowMs: number): void {
    // Those who were let through before it opened come back one after the other: they tell nothing new.
    if (this.isOpen && !isTrial) return;
    this.#failures++;
    if (this.#settings.failures === 0 || this.#failures < this.#settings.failures) return;
    const factor = Math.min(MAX_PAUSE_FACTOR, 2 ** this.#pauses++);
    this.#trialAtMs = nowMs + this.#settings.pauseMs * factor;
  }
}

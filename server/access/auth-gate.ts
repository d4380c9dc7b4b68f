import { type Rejection, rejectFor } from '../domain/outcome.ts';
import { type AuthOutcome, askWithRetries } from './auth-attempts.ts';
import { type BreakerSettings, CircuitBreaker } from './circuit-breaker.ts';
import type { EndpointAnswer } from './laravel-endpoint.ts';
import { Turns } from './turns.ts';

export interface GateSettings {
  /** Time for one answer, retries included, in milliseconds. Default 10,000. */
  readonly timeoutMs: number;
  /** Questions asked at a time. Default 50. */
  readonly concurrency: number;
  /** Questions that may wait for their turn; further ones are refused `unavailable`. Default 10,000. */
  readonly maxQueued: number;
  /** How long one may wait for its turn, in milliseconds. Default 60,000. */
  readonly queueTimeoutMs: number;
  readonly breaker: BreakerSettings;
}

/** A question that waits for its turn. */
export interface GateQuestion {
  /** Who asks: each gets turns by rotation. */
  readonly asker: string;
  /** One exchange with Laravel; never throws. */
  post(signal: AbortSignal): Promise<EndpointAnswer>;
}

export type GateOutcome =
  | AuthOutcome
  /** It was not asked. */
  | { readonly type: 'refused'; readonly refusal: Rejection };

/** A server in front of Laravel says so where Laravel itself does not answer; a 500 is a question's own fault. */
const GATEWAY_FAULTS = new Set([502, 503, 504]);
/** When to come back to a queue that was full, in milliseconds; spread, as they were refused together. */
const FULL_AWAY_MS = 2_000;

/**
 * The way to Laravel: a bounded stream, however many ask at once. So many questions are under way, so many may wait for
 * so long, and while Laravel gives no sign of life the others are refused at once instead of piling up.
 */
export class AuthGate {
  readonly #settings: GateSettings;
  readonly #turns: Turns;
  readonly #breaker: CircuitBreaker;
  readonly #onSwitch: (isOpen: boolean) => void;

  /** @param onSwitch told when Laravel is given up for a while, and when it answers again */
  constructor(settings: GateSettings, onSwitch: (isOpen: boolean) => void) {
    this.#settings = settings;
    this.#turns = new Turns(settings.concurrency);
    this.#breaker = new CircuitBreaker(settings.breaker);
    this.#onSwitch = onSwitch;
  }

  get waiting(): number {
    return this.#turns.waiting;
  }

  get isOpen(): boolean {
    return this.#breaker.isOpen;
  }

  /** Why a further question is not taken now, or null. */
  refusal(): Rejection | null {
    const isFull = !this.#turns.isFree && this.#turns.waiting >= this.#settings.maxQueued;
    return this.#away() ?? (isFull ? full() : null);
  }

  /** @param nobodyWaits aborts where the answer is of no use any more */
  async ask(question: GateQuestion, nobodyWaits: AbortSignal): Promise<GateOutcome> {
    const limit = new Limit(nobodyWaits, this.#settings.queueTimeoutMs);
    try {
      if (!(await this.#turns.take(question.asker, limit.signal))) return refused(full());
      try {
        return await this.#askAtTurn(question, limit, nobodyWaits);
      } finally {
        this.#turns.give();
      }
    } finally {
      limit.end();
    }
  }

  /**
   * The turn is kept through the pauses between attempts: a Laravel that is overloaded gets fewer requests, not more.
   * It may have been given up while this question waited.
   */
  async #askAtTurn(question: GateQuestion, limit: Limit, nobodyWaits: AbortSignal): Promise<GateOutcome> {
    const refusal = this.#away();
    if (refusal !== null) return refused(refusal);
    const { timeoutMs } = this.#settings;
    const passage = this.#breaker.enter();
    limit.restart(timeoutMs);
    const deadlineMs = performance.now() + timeoutMs;
    const outcome = await askWithRetries(() => question.post(limit.signal), deadlineMs, limit.signal);
    const switched = this.#breaker.saw(passage, nobodyWaits.aborted ? null : isSignOfLife(outcome));
    if (switched) this.#onSwitch(this.#breaker.isOpen);
    return outcome;
  }

  #away(): Rejection | null {
    const awayMs = this.#breaker.awayMs();
    return awayMs === null ? null : rejectFor('unavailable', 'Laravel does not answer just now', awayMs);
  }
}

function isSignOfLife(outcome: AuthOutcome): boolean {
  if (outcome.type === 'answer') return !GATEWAY_FAULTS.has(outcome.status);
  return outcome.type === 'too_large';
}

function full(): Rejection {
  return rejectFor('unavailable', 'too many questions wait for Laravel', FULL_AWAY_MS * (1 + Math.random()));
}

function refused(refusal: Rejection): GateOutcome {
  return { type: 'refused', refusal };
}

/** Aborts with its parent, or after a time; by hand, since `AbortSignal.any` takes kilobytes for each of thousands. */
class Limit {
  readonly #parent: AbortSignal;
  readonly #controller = new AbortController();
  readonly #abort = () => this.#controller.abort();
  #timer: NodeJS.Timeout;

  constructor(parent: AbortSignal, ms: number) {
    this.#parent = parent;
    this.#timer = setTimeout(this.#abort, ms);
    parent.addEventListener('abort', this.#abort, { once: true });
    if (parent.aborted) this.#abort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  restart(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#abort, ms);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#parent.removeEventListener('abort', this.#abort);
  }
}

import pLimit, { type LimitFunction } from 'p-limit';
import { isRejection, type Rejection, reject } from '../domain/outcome.ts';
import type { Grant, SubscriptionKind } from '../domain/subscription.ts';
import type { Access, AccessQuestion } from './access.ts';
import { type AuthYes, decodeAuthAnswer } from './auth-answer.ts';
import { type AuthOutcome, askWithRetries } from './auth-attempts.ts';
import { type AuthRequest, authRequest } from './auth-request.ts';
import { type EndpointSettings, LaravelEndpoint } from './laravel-endpoint.ts';
import { SharedQuestions } from './shared-questions.ts';

export interface LaravelSettings extends EndpointSettings {
  /** Time for one answer, queueing and retries included, in milliseconds. Default 10,000. */
  readonly timeoutMs: number;
  /** Largest answer, in bytes. Default 262,144. */
  readonly maxBodyBytes: number;
  /** Questions asked at a time. Default 50. */
  readonly concurrency: number;
  /** Questions that may wait for their turn; further ones are refused `unavailable`. Default 10,000. */
  readonly maxQueued: number;
}

export type LaravelOutcome = 'granted' | 'forbidden' | 'error' | 'cancelled';

/** What this part needs of its surroundings. Never given a cookie, a header or a body. */
export interface LaravelObserver {
  readonly logger: {
    warn(details: object, message: string): void;
    info(details: object, message: string): void;
  };
  /** Called once for each question that was asked, however many waited; `seconds` holds queueing and retries. */
  readonly onRequest?: (outcome: LaravelOutcome, seconds: number) => void;
}

/** Who may by Laravel's auth endpoint (protocol.md section 8): private, presence and encrypted names. */
export class LaravelAccess implements Access {
  readonly #settings: LaravelSettings;
  readonly #observer: LaravelObserver;
  readonly #endpoint: LaravelEndpoint;
  readonly #limit: LimitFunction;
  readonly #questions = new SharedQuestions<AuthOutcome>();

  constructor(settings: LaravelSettings, observer: LaravelObserver) {
    this.#settings = settings;
    this.#observer = observer;
    this.#endpoint = new LaravelEndpoint(settings);
    this.#limit = pLimit(settings.concurrency);
  }

  async decide(question: AccessQuestion): Promise<Grant | Rejection | null> {
    const { channel, signal } = question;
    const kind = kindOf(question);
    if (kind === null) return null;
    const request = authRequest(question);
    if (isRejection(request)) return request;
    const isNew = !this.#questions.has(request.identity);
    if (isNew && this.#limit.pendingCount >= this.#settings.maxQueued)
      return reject('unavailable', 'too many questions wait for Laravel');
    const outcome = await this.#questions.ask(request.identity, signal, (s) =>
      this.#run(question, request, s),
    );
    if (isRejection(outcome)) return outcome;
    const answer = decodeAuthAnswer(outcome, channel.kind);
    if (isRejection(answer)) return answer;
    return { ok: true, kind, channel, by: 'laravel', user: answer.user, expiresAtMs: null };
  }

  /** Questions under way: zero when nobody waits. */
  get pending(): number {
    return this.#questions.size;
  }

  async stop(): Promise<void> {
    await this.#endpoint.stop();
  }

  async #run(question: AccessQuestion, request: AuthRequest, nobodyWaits: AbortSignal): Promise<AuthOutcome> {
    const startMs = performance.now();
    const ended = new AbortController();
    const end = () => ended.abort();
    const timer = setTimeout(end, this.#settings.timeoutMs);
    nobodyWaits.addEventListener('abort', end, { once: true });
    const outcome = await this.#ask(request, startMs, ended.signal);
    clearTimeout(timer);
    this.#report(question, outcome, nobodyWaits.aborted, startMs);
    return outcome;
  }

  /**
   * The turn is kept through the pauses: a Laravel that is overloaded gets fewer requests, not more. Turns are
   * given in the order of asking, so whoever is ahead runs out of time first, and no wait for a turn outlasts
   * the limit.
   */
  #ask(request: AuthRequest, startMs: number, signal: AbortSignal): Promise<AuthOutcome> {
    const deadlineMs = startMs + this.#settings.timeoutMs;
    return this.#limit(() => askWithRetries(() => this.#endpoint.post(request, signal), deadlineMs, signal));
  }

  #report({ channel }: AccessQuestion, outcome: AuthOutcome, cancelled: boolean, startMs: number): void {
    const answer = decodeAuthAnswer(outcome, channel.kind);
    const seconds = (performance.now() - startMs) / 1000;
    const name = cancelled ? 'cancelled' : outcomeName(answer);
    this.#observer.onRequest?.(name, seconds);
    if (answer.ok || cancelled) return;
    const { status, message: reason } = answer;
    const network = outcome.type === 'network' ? { network: outcome.reason } : {};
    const details = { channel: channel.wire, status, reason, attempts: outcome.attempts, ...network };
    if (name === 'error') this.#observer.logger.warn(details, 'Laravel gave no answer that counts');
    else this.#observer.logger.info(details, 'Laravel refused a subscription');
  }
}

function kindOf({ channel }: AccessQuestion): Exclude<SubscriptionKind, 'public' | 'token'> | null {
  return channel.kind === 'public' ? null : channel.kind;
}

function outcomeName(answer: AuthYes | Rejection): LaravelOutcome {
  if (answer.ok) return 'granted';
  return answer.code === 'forbidden' ? 'forbidden' : 'error';
}

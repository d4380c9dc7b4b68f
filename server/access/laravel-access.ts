import { isRejection, type Rejection } from '../domain/outcome.ts';
import type { Grant, SubscriptionKind } from '../domain/subscription.ts';
import type { Access, AccessQuestion } from './access.ts';
import { type AuthYes, decodeAuthAnswer } from './auth-answer.ts';
import type { AuthOutcome } from './auth-attempts.ts';
import { AuthGate, type GateOutcome, type GateSettings } from './auth-gate.ts';
import { type AuthRequest, authRequest } from './auth-request.ts';
import { type EndpointSettings, LaravelEndpoint } from './laravel-endpoint.ts';
import { SharedQuestions } from './shared-questions.ts';
import { YesCache } from './yes-cache.ts';

export interface LaravelSettings extends EndpointSettings, GateSettings {
  /** How long a yes counts for the same question without asking again, in milliseconds; 0, the default: not at all. */
  readonly cacheMs: number;
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
  /** Called for each question that was answered without asking. */
  readonly onCached?: () => void;
}

/** Who may by Laravel's auth endpoint (protocol.md section 8): private, presence and encrypted names. */
export class LaravelAccess implements Access {
  readonly #observer: LaravelObserver;
  readonly #endpoint: LaravelEndpoint;
  readonly #gate: AuthGate;
  readonly #cache: YesCache;
  readonly #questions = new SharedQuestions<GateOutcome>();

  constructor(settings: LaravelSettings, observer: LaravelObserver) {
    this.#observer = observer;
    this.#endpoint = new LaravelEndpoint(settings);
    this.#gate = new AuthGate(settings, (isOpen) => this.#switched(isOpen));
    this.#cache = new YesCache(settings.cacheMs);
  }

  async decide(question: AccessQuestion): Promise<Grant | Rejection | null> {
    const { channel, signal } = question;
    const kind = kindOf(question);
    if (kind === null) return null;
    const request = authRequest(question);
    if (isRejection(request)) return request;
    const kept = this.#cache.get(request.identity);
    if (kept !== null) {
      this.#observer.onCached?.();
      return grantOf(kept, kind, channel);
    }
    // Who asks what is being asked already costs nothing.
    const refusal = this.#questions.has(request.identity) ? null : this.#gate.refusal();
    if (refusal !== null) return refusal;
    const outcome = await this.#questions.ask(request.identity, signal, (nobodyWaits) =>
      this.#run(question, request, nobodyWaits),
    );
    if (isRejection(outcome)) return outcome;
    const answer = answerOf(outcome, question);
    if (isRejection(answer)) return answer;
    this.#cache.add(request.identity, answer);
    return grantOf(answer, kind, channel);
  }

  /** Questions under way: zero when nobody waits. */
  get pending(): number {
    return this.#questions.size;
  }

  /** Those of them that wait for their turn. */
  get waiting(): number {
    return this.#gate.waiting;
  }

  /** Whether Laravel is given up for a while. */
  get isGivenUp(): boolean {
    return this.#gate.isOpen;
  }

  async stop(): Promise<void> {
    await this.#endpoint.stop();
  }

  async #run(question: AccessQuestion, request: AuthRequest, nobodyWaits: AbortSignal): Promise<GateOutcome> {
    const startMs = performance.now();
    const post = (signal: AbortSignal) => this.#endpoint.post(request, signal);
    const outcome = await this.#gate.ask({ asker: question.socketId, post }, nobodyWaits);
    if (outcome.type !== 'refused') this.#report(question, outcome, nobodyWaits.aborted, startMs);
    return outcome;
  }

  #report(question: AccessQuestion, outcome: AuthOutcome, cancelled: boolean, startMs: number): void {
    const answer = answerOf(outcome, question);
    const seconds = (performance.now() - startMs) / 1000;
    const name = cancelled ? 'cancelled' : outcomeName(answer);
    this.#observer.onRequest?.(name, seconds);
    if (answer.ok || cancelled) return;
    const { status, message: reason } = answer;
    const network = outcome.type === 'network' ? { network: outcome.reason } : {};
    const details = {
      channel: question.channel.wire,
      status,
      reason,
      attempts: outcome.attempts,
      ...network,
    };
    if (name === 'error') this.#observer.logger.warn(details, 'Laravel gave no answer that counts');
    else this.#observer.logger.info(details, 'Laravel refused a subscription');
  }

  /** Told once: each of thousands would say the same. */
  #switched(isOpen: boolean): void {
    if (isOpen) this.#observer.logger.warn({}, 'Laravel does not answer: it is left alone for a while');
    else this.#observer.logger.info({}, 'Laravel answers again');
  }
}

function answerOf(outcome: GateOutcome, { channel }: AccessQuestion): AuthYes | Rejection {
  return outcome.type === 'refused' ? outcome.refusal : decodeAuthAnswer(outcome, channel.kind);
}

function grantOf({ user }: AuthYes, kind: SubscriptionKind, channel: AccessQuestion['channel']): Grant {
  return { ok: true, kind, channel, by: 'laravel', user, expiresAtMs: null };
}

function kindOf({ channel }: AccessQuestion): Exclude<SubscriptionKind, 'public' | 'token'> | null {
  return channel.kind === 'public' ? null : channel.kind;
}

function outcomeName(answer: AuthYes | Rejection): LaravelOutcome {
  if (answer.ok) return 'granted';
  return answer.code === 'forbidden' ? 'forbidden' : 'error';
}

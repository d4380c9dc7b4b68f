import type { Answer, Connection } from './connection.ts';
import type { ResolvedOptions } from './options.ts';
import type { Positions } from './positions.ts';
import { RefusalEcho } from './refusal-echo.ts';
import { backoffMs, callAt, renewalDelayMs } from './timing.ts';
import { authHeaders } from './token-endpoint.ts';
import { type HeldToken, TokenKeeper } from './token-keeper.ts';
import type { SharedQuestions } from './token-source.ts';
import { Waiters } from './waiters.ts';
import { decodeSubscribeAnswer, type Refusal, refusalOf, refusals, revocationOf } from './wire.ts';

/** What a subscription needs of the connector. */
export interface SubscriptionParts {
  readonly connection: Connection;
  readonly tokens: SharedQuestions;
  readonly positions: Positions;
  readonly options: ResolvedOptions;
}

/** Who is told what becomes of the subscription. */
export interface SubscriptionListener {
  subscribed(): void;
  /** The membership is over, by the server or with the connection; a new one is on its way, or not. */
  lost(): void;
  refused(refusal: Refusal): void;
}

/** `waiting`: not (or no longer) subscribed, but trying. `refused`: for good, until somebody starts it anew. */
type State = 'waiting' | 'subscribed' | 'refused' | 'left';

/** A membership of this length has proved that its token was good: the next failure counts as the first. */
const calmMs = 5000;
/** A server that asks for more is not believed. */
const longestRetryAfterMs = 300_000;

/**
 * Keeps one wire name subscribed: fetches the token, subscribes, renews in time, tries again after failures and
 * after each reconnect, until left. Every try has a number; whatever comes back for an older one is dropped, so
 * a token that arrives after the leave, or an answer of the last connection, changes nothing.
 */
export class Subscription {
  readonly wireName: string;
  /** The name that a token's claim must bear, or null where no token can open the channel. */
  readonly channel: string | null;
  readonly #parts: SubscriptionParts;
  readonly #listener: SubscriptionListener;
  readonly #waiters = new Waiters();
  readonly #errors = new RefusalEcho();
  readonly #token: TokenKeeper;
  #state: State = 'waiting';
  #refusal: Refusal | null = null;
  #try = 0;
  /** Failures in a row; a membership that lasted begins a new row. */
  #failures = 0;
  #wasSubscribed = false;
  #acceptedAtMs: number | null = null;
  #cancelTimer: () => void = () => {};
  /** Whether this connection has been asked to subscribe: events may arrive, and a leave must be told. */
  #asked = false;

  constructor(
    wireName: string,
    channel: string | null,
    parts: SubscriptionParts,
    listener: SubscriptionListener,
  ) {
    this.wireName = wireName;
    this.channel = channel;
    this.#parts = parts;
    this.#listener = listener;
    this.#token = new TokenKeeper(channel, parts.tokens);
    parts.positions.joined(wireName);
  }

  /** Whether it ever was. */
  get wasSubscribed(): boolean {
    return this.#wasSubscribed;
  }

  get isSubscribed(): boolean {
    return this.#state === 'subscribed';
  }

  /** Whether an event of this name can be meant for this subscription, and not for one that was left before. */
  get hears(): boolean {
    return this.#asked && this.#state !== 'left' && !this.#parts.positions.isLeaving(this.wireName);
  }

  /** Why the channel is refused for good, or null. */
  get refusal(): Refusal | null {
    return this.#refusal;
  }

  /** Begins; also the way back from a refusal. The token is fetched while the connection still opens. */
  start(): void {
    if (this.#state === 'left' || this.#state === 'subscribed') return;
    this.#state = 'waiting';
    this.#refusal = null;
    void this.#attempt(false);
  }

  /** The connection is up: all subscriptions go out in one burst, with the tokens that they hold. */
  connectionUp(): void {
    if (this.#state === 'waiting') void this.#attempt(false);
  }

  /** The connection is down. `final`: nothing happens until somebody opens it again. */
  connectionDown(final: boolean): void {
    this.#try += 1;
    this.#cancelTimer();
    this.#asked = false;
    this.#errors.reset();
    this.#lose();
    if (final) this.#waiters.settle(refusalOf('unavailable', 'not connected: nothing was sent'));
  }

  leave(): void {
    const { connection, options, positions } = this.#parts;
    const confirmed = positions.left(this.wireName);
    const body = { channel: this.wireName };
    if (this.#asked) connection.ask('unsubscribe', body, options.answerTimeoutMs, confirmed);
    else confirmed();
    this.#state = 'left';
    this.#asked = false;
    this.#try += 1;
    this.#cancelTimer();
    this.#waiters.settle(refusalOf('not_subscribed', 'this channel was left'));
  }

  /** Resolves with null once subscribed, or with a refusal if that is not to be, or not in time. */
  async ready(): Promise<Refusal | null> {
    if (this.#state === 'subscribed') return null;
    if (this.#state === 'left') return refusalOf('not_subscribed', 'this channel was left');
    if (this.#parts.connection.status === 'failed') return refusalOf('unavailable', 'the connection failed');
    return this.#refusal ?? this.#waiters.wait(this.#parts.options.answerTimeoutMs);
  }

  /** The server's `subscription_error`: the shadow of a refused answer, or the end of the membership. */
  errorEvent(status: number): void {
    if (!this.#errors.event() || this.#state !== 'subscribed') return;
    this.#lose();
    this.#failed(revocationOf(status));
  }

  #lose(): void {
    if (this.#state === 'subscribed') this.#state = 'waiting';
    this.#parts.positions.halt(this.wireName);
    this.#listener.lost();
  }

  async #attempt(renew: boolean): Promise<void> {
    this.#try += 1;
    const number = this.#try;
    this.#cancelTimer();
    const usable = renew ? null : this.#token.usable();
    const held = usable ?? (await this.#fetchToken(number));
    if (held !== null && number === this.#try && this.#parts.connection.isUp) this.#subscribe(number, held);
  }

  async #fetchToken(number: number): Promise<HeldToken | null> {
    const answer = await this.#token.ask();
    if (number !== this.#try) return null;
    if (!answer.ok) {
      this.#failed(answer.refusal, answer.final);
      return null;
    }
    return this.#token.keep(answer.token);
  }

  #subscribe(number: number, held: HeldToken): void {
    const { connection, options, positions } = this.#parts;
    this.#asked = true;
    this.#errors.asked();
    // A renewal goes on by itself. What it misses by its end is asked for then.
    const since = this.isSubscribed ? {} : positions.since(this.wireName);
    const body = { channel: this.wireName, auth: this.#auth(held.token), ...since };
    connection.ask('subscribe', body, options.answerTimeoutMs, (answer) => {
      if (number === this.#try) this.#answered(answer, held);
    });
  }

  #answered(answer: Answer, held: HeldToken): void {
    if (!answer.came) {
      this.#errors.reset();
      return this.#failed(answer.refusal);
    }
    const decoded = decodeSubscribeAnswer(answer.value);
    if (decoded.ok) return this.#succeeded(held, decoded.expiresInMs);
    if (this.#errors.refused()) this.#lose();
    this.#failed(decoded.refusal);
  }

  /** Without a token a public name needs nothing, and for the others the server asks Laravel, as ever with Echo. */
  #auth(token: string | null): object {
    if (token !== null) return { token };
    return this.wireName === this.channel ? {} : { headers: authHeaders(this.#parts.options) };
  }

  #succeeded(held: HeldToken, expiresInMs: number | null): void {
    const isNew = this.#state !== 'subscribed';
    this.#errors.accepted();
    this.#state = 'subscribed';
    this.#wasSubscribed = true;
    if (isNew || this.#acceptedAtMs === null) this.#acceptedAtMs = Date.now();
    held.renewAtMs = expiresInMs === null ? null : Date.now() + renewalDelayMs(expiresInMs);
    if (held.renewAtMs !== null && !this.#isFixed) {
      this.#cancelTimer = callAt(held.renewAtMs, () => void this.#attempt(true));
    }
    this.#waiters.settle(null);
    if (isNew) this.#listener.subscribed();
  }

  /** One string for ever: there is nothing to renew it with. */
  get #isFixed(): boolean {
    return typeof this.#parts.options.token === 'string';
  }

  #failed(refusal: Refusal, isFinal = false): void {
    const { advice } = refusals[refusal.code];
    const wantsToken = advice === 'new-token';
    if (isFinal || advice === 'never' || (wantsToken && this.#isFixed)) return this.#givenUp(refusal);
    if (this.#acceptedAtMs !== null && Date.now() - this.#acceptedAtMs >= calmMs) this.#failures = 0;
    this.#acceptedAtMs = null;
    if (wantsToken) this.#token.drop();
    this.#failures += 1;
    // An expired token is no news for the page if the next one is good: the first time it is replaced at once.
    if (wantsToken && this.#failures === 1) return void this.#attempt(this.isSubscribed);
    const { retryDelayMs, retryDelayMaxMs } = this.#parts.options;
    const askedMs = Math.min(refusal.retryAfterMs ?? 0, longestRetryAfterMs);
    const delayMs = askedMs + backoffMs(this.#failures - 1, retryDelayMs, retryDelayMaxMs);
    this.#cancelTimer = callAt(Date.now() + delayMs, () => void this.#attempt(this.isSubscribed));
    this.#listener.refused(refusal);
  }

  /** A refused renewal leaves the membership to its end, which comes as a `subscription_error` and asks once more. */
  #givenUp(refusal: Refusal): void {
    if (this.#state !== 'subscribed') {
      this.#state = 'refused';
      this.#refusal = refusal;
      this.#waiters.settle(refusal);
    }
    this.#listener.refused(refusal);
  }
}

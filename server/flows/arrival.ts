import type { Attempt } from '../connection/connection.ts';
import type { Subscription } from '../connection/subscription.ts';
import { isRejection, type Rejection, reject } from '../domain/outcome.ts';
import { type Position, parsePosition } from '../domain/position.ts';
import type { RoomView } from '../hub/room-view.ts';
import { expireMembership } from './expire-membership.ts';
import type { Parts } from './parts.ts';

/** What a client that came back was given of what it missed. */
export interface Recovery {
  /** Nothing is missing. */
  readonly recovered: boolean;
  /** How many frames it was given, or is about to be given. */
  readonly replayed: number;
}

/**
 * `position`: of the last broadcast before it, in the bus's history; null on a bus that keeps none. `recovery`: null
 * where the client brought no position.
 */
export type JoinOutcome =
  | {
      readonly ok: true;
      readonly subscription: Subscription;
      readonly position: string | null;
      readonly recovery: Recovery | null;
    }
  | Rejection;

/** A subscription with everything behind it but the hub, and the way to undo all of that. */
export interface Admitted {
  readonly subscription: Subscription;
  readonly view: RoomView | null;
  readonly undo: () => void;
}

/** Whom to answer. */
export interface JoinAnswers {
  /** Called once: in the turn in which the subscription goes live, or with the refusal. */
  answer(outcome: JoinOutcome): void;
  /**
   * Called before the replay, for a protocol that says what is coming. Absent: the answer says it afterwards.
   * @param position that the client has now, before the replay
   */
  foretell?(subscription: Subscription, recovery: Recovery, position: string | null): void;
}

/**
 * An admitted subscription on its way to being live. It ends once: live, refused, or undone where an unsubscribe, the
 * end of the connection or of its token comes first, at whatever moment.
 */
export class Arrival {
  readonly subscription: Subscription;
  /** The position that the client sent for it, as it sent it; null: it begins here. */
  readonly from: string | null;
  /** The same, read; null where it makes no sense. */
  readonly since: Position | null;
  /** Resolves when it has ended, whichever way. */
  readonly ended: Promise<void>;
  readonly #parts: Parts;
  readonly #signal: AbortSignal;
  readonly #admitted: Admitted;
  readonly #answers: JoinAnswers;
  readonly #cancel = () => {
    const { reason } = this.#signal;
    this.refuse(isRejection(reason) ? reason : cancelled());
  };
  #resolveEnded: () => void = () => {};
  #over = false;

  constructor(parts: Parts, attempt: Attempt, admitted: Admitted, from: string | null, answers: JoinAnswers) {
    this.#parts = parts;
    this.#signal = attempt.signal;
    this.#admitted = admitted;
    this.subscription = admitted.subscription;
    this.from = from;
    this.since = from === null ? null : parsePosition(from);
    this.#answers = answers;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    const { connection, wire, expiry, expiresAtMs } = this.subscription;
    connection.arriving.set(wire, this.subscription);
    expiry.set(expiresAtMs, () => this.refuse(reject('token_expired', 'the token has expired')));
    this.#signal.addEventListener('abort', this.#cancel, { once: true });
    if (this.#signal.aborted) this.#cancel();
  }

  /** It has ended: nothing is for it any more. */
  get over(): boolean {
    return this.#over;
  }

  /** Whether its protocol says beforehand what is coming. */
  get foretells(): boolean {
    return this.from !== null && this.#answers.foretell !== undefined;
  }

  foretell(recovery: Recovery, position: string | null): void {
    if (!this.#over) this.#answers.foretell?.(this.subscription, recovery, position);
  }

  /** Joins the hub and answers, in one turn. */
  goLive(position: string | null, recovery: Recovery | null): void {
    if (!this.#end()) return;
    const { subscription, view } = this.#admitted;
    const { connection, wire, kind, member, expiresAtMs } = subscription;
    const parts = this.#parts;
    connection.subscriptions.set(wire, subscription);
    parts.hub.join(subscription);
    parts.meters.subscribed(kind);
    if (view !== null && member !== null) view.addLocal(member.userId);
    // By `this` it would keep the whole arrival, as long as the token lives.
    subscription.expiry.set(expiresAtMs, () => expireMembership(parts, subscription));
    this.#answers.answer({ ok: true, subscription, position, recovery });
  }

  refuse(rejection: Rejection): void {
    if (!this.#end()) return;
    this.#admitted.undo();
    this.#answers.answer(rejection);
  }

  #end(): boolean {
    if (this.#over) return false;
    this.#over = true;
    const { connection, wire, expiry } = this.subscription;
    expiry.clear();
    this.#signal.removeEventListener('abort', this.#cancel);
    if (connection.arriving.get(wire) === this.subscription) connection.arriving.delete(wire);
    this.#resolveEnded();
    return true;
  }
}

export function cancelled(): Rejection {
  return reject('cancelled', 'an unsubscribe or disconnect overtook this subscribe');
}

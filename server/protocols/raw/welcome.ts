import type { Connection } from '../../connection/connection.ts';
import type { Subscription } from '../../connection/subscription.ts';
import { type ClosureCode, catalogue } from '../../domain/catalogue.ts';
import type { Member } from '../../domain/member.ts';
import type { Closure, Rejection } from '../../domain/outcome.ts';
import type { JoinAnswers, JoinOutcome, Recovery } from '../../flows/arrival.ts';
import { listedMembers } from '../../flows/list-members.ts';
import type { Parts } from '../../flows/parts.ts';
import { encodeConnected, encodePresence } from './encode.ts';

/**
 * The first frame. For a client that comes back it is sent before what it missed, and says how much that is; who came
 * or went while that was sent is told when it is live.
 */
export class Welcome implements JoinAnswers {
  readonly #parts: Parts;
  readonly #connection: Connection;
  readonly #asksPositions: boolean;
  #shown: readonly Member[] | null = null;

  /** @param asksPositions whether the client asked for positions by `since` */
  constructor(parts: Parts, connection: Connection, asksPositions: boolean) {
    this.#parts = parts;
    this.#connection = connection;
    this.#asksPositions = asksPositions;
  }

  foretell(subscription: Subscription, recovery: Recovery, position: string | null): void {
    this.#shown = listedMembers(this.#parts, subscription);
    this.#connection.write(
      encodeConnected(this.#shown, this.#connection.socketId, { position, ...recovery }),
    );
  }

  answer(outcome: JoinOutcome): void {
    if (!outcome.ok) return this.#connection.end(closureOf(outcome));
    const members = listedMembers(this.#parts, outcome.subscription);
    if (this.#shown !== null) return this.#tellChanges(this.#shown, members);
    const history = this.#asksPositions ? { position: outcome.position } : null;
    this.#connection.write(encodeConnected(members, this.#connection.socketId, history));
  }

  #tellChanges(shown: readonly Member[], members: readonly Member[]): void {
    for (const member of without(shown, members)) this.#connection.write(encodePresence('left', member));
    for (const member of without(members, shown)) this.#connection.write(encodePresence('joined', member));
  }
}

function without(members: readonly Member[], others: readonly Member[]): Member[] {
  const ids = new Set(others.map(({ userId }) => userId));
  return members.filter(({ userId }) => !ids.has(userId));
}

function closureOf({ code, message, retryAfterMs }: Rejection): Closure {
  if (catalogue[code].close === null) return { code: 'internal_error', message };
  const when = retryAfterMs === undefined ? {} : { retryAfterMs };
  return { code: code as ClosureCode, message, ...when };
}

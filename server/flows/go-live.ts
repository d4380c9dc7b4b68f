import type { Attempt } from '../connection/connection.ts';
import type { Subscription } from '../connection/subscription.ts';
import { type Rejection, reject } from '../domain/outcome.ts';
import type { RoomView } from '../hub/room-view.ts';
import { expireMembership } from './expire-membership.ts';
import type { Parts } from './parts.ts';

export type JoinOutcome = { readonly ok: true; readonly subscription: Subscription } | Rejection;

/** A subscription with everything behind it but the hub, and the way to undo all of that. */
export interface Admitted {
  readonly subscription: Subscription;
  readonly view: RoomView | null;
  readonly undo: () => void;
}

/**
 * Puts an admitted subscription live: joining the hub and the answer share one turn, so that nothing falls between
 * the list in the answer and what is announced afterwards.
 */
export async function goLive(
  parts: Parts,
  attempt: Attempt,
  { subscription, view, undo }: Admitted,
  answer: (outcome: JoinOutcome) => void,
): Promise<void> {
  let reached = false;
  const live = () => {
    reached = true;
    if (attempt.signal.aborted) {
      undo();
      return answer(reject('cancelled', 'an unsubscribe or disconnect overtook this subscribe'));
    }
    const { connection, wire, kind, member, expiresAtMs } = subscription;
    connection.subscriptions.set(wire, subscription);
    parts.hub.join(subscription);
    parts.meters.subscribed(kind);
    if (view !== null && member !== null) view.addLocal(member.userId);
    subscription.expiry.set(expiresAtMs, () => expireMembership(parts, subscription));
    answer({ ok: true, subscription });
  };
  try {
    await parts.bus.resume(null, subscription.follows, live);
  } catch (error) {
    if (!reached) undo();
    throw error;
  }
}

import type { Attempt } from '../connection/connection.ts';
import type { Subscription } from '../connection/subscription.ts';
import { type Rejection, reject } from '../domain/outcome.ts';
import type { RoomView } from '../hub/room-view.ts';
import { expireMembership } from './expire-membership.ts';
import type { Parts } from './parts.ts';

/** `position`: of the last broadcast before it, in the bus's history; null on a bus that keeps none. */
export type JoinOutcome =
  | { readonly ok: true; readonly subscription: Subscription; readonly position: string | null }
  | Rejection;

/** A subscription with everything behind it but the hub, and the way to undo all of that. */
export interface Admitted {
  readonly subscription: Subscription;
  readonly view: RoomView | null;
  readonly undo: () => void;
}

/** One admitted subscription with its attempt and whom to answer. */
export interface Arrival {
  readonly attempt: Attempt;
  readonly admitted: Admitted;
  readonly answer: (outcome: JoinOutcome) => void;
}

/**
 * Puts admitted subscriptions of one connection live, all in one turn: joining the hub and the answers share it, so
 * that nothing falls between the list in an answer and what is announced afterwards. Together, and not channel by
 * channel, since a second cut that falls between two of them would lose events of the later one (recovery).
 * @param from the position that the client has reached, or null
 */
export async function goLive(parts: Parts, arrivals: readonly Arrival[], from: string | null): Promise<void> {
  const channels = new Set(arrivals.flatMap(({ admitted }) => admitted.subscription.follows));
  let reached = false;
  try {
    await parts.bus.resume({
      from,
      channels,
      signal: new AbortController().signal,
      page: async () => {},
      live: (_items, { position }) => {
        reached = true;
        for (const arrival of arrivals) arrive(parts, arrival, position);
      },
    });
  } catch (error) {
    if (!reached) for (const { admitted } of arrivals) admitted.undo();
    throw error;
  }
}

function arrive(parts: Parts, { attempt, admitted, answer }: Arrival, position: string | null): void {
  const { subscription, view, undo } = admitted;
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
  answer({ ok: true, subscription, position });
}

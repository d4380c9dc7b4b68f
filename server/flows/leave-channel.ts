import type { Leaving } from '../broker/roster/roster.ts';
import type { Subscription } from '../connection/subscription.ts';
import type { Parts } from './parts.ts';

/**
 * Takes a subscription out of everything. From the call on it hears nothing more; the promise resolves when the
 * roster has been told, so that a rejoin cannot overtake it. Called twice it does nothing.
 *
 * @param how whether the user may be back in a moment: then he lingers in the list where a grace is set
 */
export async function leaveChannel(parts: Parts, subscription: Subscription, how: Leaving): Promise<void> {
  const { connection, channel, wire, kind, room, member, seatId, follows } = subscription;
  if (connection.subscriptions.get(wire) !== subscription) return;
  connection.subscriptions.delete(wire);
  subscription.expiry.clear();
  parts.hub.leave(subscription);
  parts.meters.unsubscribed(kind);
  for (const followed of follows) parts.bus.unfollow(followed);
  const isSeated = room !== null && member !== null && seatId !== null;
  if (isSeated) parts.views.get(room)?.removeLocal(member.userId);
  const left = isSeated
    ? parts.roster.leave(room, seatId, how).finally(() => parts.views.release(room))
    : null;
  // In this turn, so that a room's last member goes before its channel does.
  parts.occupancy.leave(channel.wire, how);
  await left;
}

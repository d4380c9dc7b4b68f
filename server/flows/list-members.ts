import type { Subscription } from '../connection/subscription.ts';
import type { Member } from '../domain/member.ts';
import type { Parts } from './parts.ts';

/** The members that a subscription is shown: its room's list, empty where the definition shows no users. */
export function listedMembers(parts: Parts, { room, seatId }: Subscription): readonly Member[] {
  if (room === null || seatId === null) return [];
  return parts.views.get(room)?.members() ?? [];
}

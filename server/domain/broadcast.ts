import type { Member } from './member.ts';
import type { Sender } from './sender.ts';
import type { SubscriptionKind } from './subscription.ts';

/** What the bus brings for a channel's subscribers. All texts are JSON text, sent as they are. */
export type Broadcast =
  | {
      /** A Laravel event or a whisper, on the wire name that it was published on. */
      readonly type: 'event';
      readonly event: string;
      readonly data: string;
    }
  | {
      /** A message of the room, whatever its way in. */
      readonly type: 'message';
      readonly sender: Sender;
      readonly data: string;
    }
  | {
      /** A user's first connection came, or its last one left. */
      readonly type: 'joined' | 'left';
      readonly member: Member;
    }
  | {
      /** Broadcasts of this channel may have been lost here. */
      readonly type: 'gap';
      readonly reason: string;
    };

/** Which connections of an audience a broadcast is for. */
export interface Recipients {
  /** The public id of the one connection to leave out, or of one that it continues, or null. Any value that is no live id leaves out nobody. */
  readonly exceptSocketId: string | null;
  /** The one user it is for, or null for all. */
  readonly userId: string | null;
}

/** The subscriptions of one wire name that a broadcast goes to. */
export interface Destination {
  readonly wire: string;
  readonly kinds: readonly SubscriptionKind[];
  readonly recipients: Recipients;
}

/** Whether a subscription is among those of a destination; whom it leaves out, it leaves out everywhere. */
export function reaches(
  { kinds, recipients }: Destination,
  { kind, userId }: { readonly kind: SubscriptionKind; readonly userId: string | null },
): boolean {
  return kinds.includes(kind) && (recipients.userId === null || recipients.userId === userId);
}

export const EVERYBODY: Recipients = { exceptSocketId: null, userId: null };

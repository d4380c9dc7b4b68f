import { type Destination, reaches } from '../domain/broadcast.ts';
import type { ChannelName } from '../domain/channel-name.ts';
import type { Frame } from '../domain/frame.ts';
import type { Member } from '../domain/member.ts';
import type { Protocol } from '../domain/protocol.ts';
import type { Grant, SubscriptionKind } from '../domain/subscription.ts';
import type { Connection } from './connection.ts';
import { Deadline } from './deadline.ts';

type Place = Pick<Subscription, 'room' | 'member' | 'seatId' | 'follows'> &
  Partial<Pick<Subscription, 'keepsPosition'>>;

/** A connection's place on one channel, from admitted to left. */
export class Subscription {
  readonly connection: Connection;
  readonly channel: ChannelName;
  readonly kind: SubscriptionKind;
  readonly by: Grant['by'];
  /** The room that it belongs to (the key its traffic travels on), or null. */
  readonly room: string | null;
  /** As whom; null where nobody was named. */
  readonly member: Member | null;
  /** Its seat in the room's member list; null where it has none (private, or a definition that shows no users). */
  readonly seatId: string | null;
  /** Bus channels that are followed for it. */
  readonly follows: readonly string[];
  /** Whether its client keeps a position for this channel alone, and not one for all. */
  readonly keepsPosition: boolean;
  readonly expiry = new Deadline();
  expiresAtMs: number | null;

  constructor(connection: Connection, grant: Grant, place: Place) {
    this.connection = connection;
    this.channel = grant.channel;
    this.kind = grant.kind;
    this.by = grant.by;
    this.expiresAtMs = grant.expiresAtMs;
    this.room = place.room;
    this.member = place.member;
    this.seatId = place.seatId;
    this.follows = place.follows;
    this.keepsPosition = place.keepsPosition ?? false;
  }

  get wire(): string {
    return this.channel.wire;
  }

  get socketIds(): readonly string[] {
    return this.connection.socketIds;
  }

  get protocol(): Protocol {
    return this.connection.protocol;
  }

  /**
   * Whose it is. Laravel's yes to a private channel names nobody; what the same connection has proved elsewhere
   * in the room counts then.
   */
  get userId(): string | null {
    return this.member?.userId ?? this.connection.userIdIn(this.room);
  }

  awaitsOn(later: readonly Destination[]): boolean {
    const { subscriptions } = this.connection;
    if (this.keepsPosition || subscriptions.size < 2) return false;
    return later.some((destination) => {
      const other = subscriptions.get(destination.wire);
      return other !== undefined && reaches(destination, other);
    });
  }

  write(frame: Frame): void {
    this.connection.write(frame);
  }
}

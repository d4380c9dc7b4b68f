import type { Member } from '../../domain/member.ts';

/**
 * Who is in a room, over all nodes. A *seat* is one connection's place in one room; a member is a user with at
 * least one seat. A room's key is the channel that its traffic travels on.
 *
 * What every implementation MUST do (test/contract/roster-behaviour.ts holds it):
 * 1. Change the state and publish the announcement (`room-envelope.ts`) on the room's channel in one atomic
 *    step. Apart, a crash or race between the two leaves lingering or resurrected members.
 * 2. Announce `joined` for a user's first seat and `left` for the last one, once, whichever node comes first.
 *    Who leaves with `linger` stays in the list for the roster's grace: back within it, on any node, he was never
 *    gone, and neither is announced; after it `left` is, also where the node that he left from is gone.
 * 3. Give each change of a room a higher revision than any before it, also after the store was emptied;
 *    otherwise a node takes new frames for old ones and ignores them.
 * 4. Keep what a user's first seat brought until `left` is announced.
 * 5. Take the same seat twice as one (a repeat after a timeout must not count double).
 * 6. Let no user in whom a room of `maxMembers` does not show yet; nothing changes and nothing is announced then.
 * 7. Refuse with `UnavailableError` within `commandTimeoutMs`.
 */
export interface Roster {
  /** Adds a seat. @returns the room as it is right after. @throws UnavailableError: outcome unknown; call `leave` */
  enter(room: string, seat: Seat): Promise<RosterSnapshot>;
  /**
   * Removes a seat; an unknown one is no error. Where Redis is away the removal is kept and made up for later.
   * @param how default: at once
   */
  leave(room: string, seatId: string, how?: Leaving): Promise<void>;
  members(room: string): Promise<RosterSnapshot>;
  /** Re-enters every seat of this node that the store has lost, and removes what it holds of this node by mistake. */
  restore(): Promise<void>;
  /**
   * Called when the store turned out to have lost this node (FLUSHALL, a freeze past the lease), after the seats
   * were restored: time to compare what clients were shown. Set before `start`.
   */
  onRestored(listener: () => void): void;
  /** Seats held by this node: zero when everybody has left. Who lingers has none. */
  seatCount(): number;
  start(): Promise<void>;
  /** Gives all seats of this node up: announced, or lingering on the other nodes. */
  stop(): Promise<void>;
}

export interface Leaving {
  /** Whether the user may be back in a moment (a page reloads, a connection breaks, a node stops). */
  readonly linger: boolean;
}

/** Somebody says that he leaves. */
export const AT_ONCE: Leaving = { linger: false };

export interface Seat {
  readonly id: string;
  readonly member: Member;
}

export interface RosterSnapshot {
  readonly revision: number;
  /** Each user once, in no promised order. */
  readonly members: readonly Member[];
  /** Of `enter`: the room shows as many users as it may, and nobody was entered. */
  readonly full?: true;
}

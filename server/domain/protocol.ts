import type { Broadcast } from './broadcast.ts';
import type { Frame } from './frame.ts';

/**
 * What every protocol MUST be to the rest of the server. A new protocol is a new folder that hands in one of
 * these, its upgrade handler and its HTTP routes; nothing else changes.
 */
export interface Protocol {
  /** Lower case; a label in metrics and logs. */
  readonly name: string;
  /**
   * Called once for each broadcast and wire name, however many receivers. It encodes once and hands the frame to
   * the audience; what it cannot carry it drops, counted. Nothing but this emits a
   * channel's event, otherwise two paths make two orders. Must not throw.
   * @param position of the broadcast in the bus's history; null on a bus that keeps none
   */
  deliver(audience: Audience, broadcast: Broadcast, position: string | null): void;
  /**
   * What tells a client on which nothing happens how far it is, lest its position grows older than the history; absent
   * where its clients keep none.
   */
  encodePosition?(position: string): Frame;
}

/** The subscriptions of one channel and one protocol that a broadcast is for. */
export interface Audience {
  readonly wire: string;
  /** Hands one frame to all of them. @returns how many it was for */
  write(frame: Frame): number;
}

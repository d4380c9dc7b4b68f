/**
 * What Laravel is to be told, from the moment at which it happens until Laravel has taken it.
 *
 * What every implementation MUST do (test/contract/outbox-behaviour.ts holds it):
 * 1. Write what a change of the roster or a publish causes in the same atomic step as the change itself. Apart, a
 *    crash between the two would leave Laravel untold.
 * 2. Keep the order of writing for everything of one `order` (a room): it always lies in one lane, and a lane is read
 *    by one node at a time.
 * 3. Keep what is taken until it is `done` or buried: whoever takes a lane over finds it again, with the same ids.
 * 4. Be bounded, in entries and bytes: the oldest go first, and `take` tells how many.
 */
export interface Outbox {
  /** Lanes that are told side by side. */
  readonly lanes: number;
  /** Something that goes with no message and no change of the roster. @throws UnavailableError */
  tell(telling: Telling): Promise<void>;
  /**
   * Claims a lane, or holds on to it, and reads its head.
   * @returns null where another node has it. @throws UnavailableError
   */
  take(lane: number, count: number): Promise<Taken | null>;
  /** Holds on to a lane that was taken. @returns whether it still was this node's. @throws UnavailableError */
  hold(lane: number): Promise<boolean>;
  /** Lets others have it at once. */
  release(lane: number): Promise<void>;
  /** Laravel has taken these. @throws UnavailableError */
  done(lane: number, places: readonly string[]): Promise<void>;
  /** Laravel will never take these: put where an operator finds them. @throws UnavailableError */
  bury(lane: number, places: readonly string[], reason: string): Promise<void>;
  /** What waits, and what was buried, newest first. @throws UnavailableError */
  look(count: number): Promise<OutboxContents>;
  /**
   * Puts buried entries back, behind what waits; oldest first.
   * @param ids of the entries; null: all
   * @returns how many. @throws UnavailableError
   */
  replay(ids: readonly string[] | null): Promise<number>;
}

/** Something that happened. */
export interface Told {
  /** The same each time that it is told. */
  readonly id: string;
  readonly atMs: number;
  readonly order: string;
  /** `joined` and `left` are the roster's own: `json` is the member, `room` the roster's name. `event`: ready JSON fields. */
  readonly kind: 'joined' | 'left' | 'event';
  readonly room: string;
  readonly json: string;
}

/** What a flow has to tell: everything but what the outbox itself gives it. */
export interface Telling {
  readonly order: string;
  /** A JSON object. */
  readonly json: string;
}

export interface Taken {
  readonly entries: readonly TakenEntry[];
  /** Entries that gave way to newer ones since it was asked last. */
  readonly dropped: number;
  readonly waiting: number;
}

export interface TakenEntry extends Told {
  /** Its place in the lane. */
  readonly place: string;
}

export interface Buried extends Told {
  readonly reason: string;
}

export interface OutboxContents {
  readonly waiting: number;
  readonly buriedCount: number;
  readonly buried: readonly Buried[];
}

export interface OutboxBounds {
  /** Entries that may wait, in all lanes together. */
  readonly maxEntries: number;
  /** Bytes of them. */
  readonly maxBytes: number;
  /** Entries that may be buried. */
  readonly maxBuried: number;
}

/** What the roster's own changes are told of. */
export interface RosterTelling {
  readonly members: boolean;
  /** Which channels are in use, members or not. */
  readonly occupancy: boolean;
}

export const LANES = 4;

/** What is read of a lane at once, at most, beside its first entry: no batch of small events is larger. */
export const TAKEN_BYTES = 524_288;

/** The same on every node and in every version: a room that changed its lane could overtake itself. */
export function laneOf(order: string): number {
  let hash = 0;
  for (let i = 0; i < order.length; i++) hash = (Math.imul(hash, 31) + order.charCodeAt(i)) | 0;
  return (hash >>> 0) % LANES;
}

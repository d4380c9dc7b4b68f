import type { Telling } from '../outbox/outbox.ts';

/**
 * Where broadcasts come from and go to: a plain one, and ones with a history, behind the same contract.
 *
 * `channel` is a channel's name without any Redis prefix; `broadcast` is the custom channel (protocol.md
 * section 4), which every bus follows by itself.
 *
 * What every implementation MUST do (test/contract/bus-behaviour.ts holds it):
 * 1. Deliver each payload that was published while `follow` was confirmed, once, byte for byte. Otherwise a
 *    subscriber who has his answer misses events.
 * 2. Deliver in one total order, synchronously, in the order of publishing. Otherwise two subscribers of a
 *    channel see two orders.
 * 3. Deliver to this node too what it published itself: there is one delivery path.
 * 4. Count follows: `unfollow` ends a channel only when every `follow` of it is undone. Otherwise the last
 *    leaver of one room silences another.
 * 5. Refuse with `UnavailableError` within `commandTimeoutMs`, never queue without bound, never resend: of a
 *    timed-out publish the outcome is unknown, and sending again could double it.
 * 6. Never let a listener's exception stop the reader.
 */
export interface Bus {
  /**
   * Resolves when the bus has taken the payload.
   * @param telling what Laravel is to be told of it, in the same step; nothing where nobody tells it
   * @throws UnavailableError
   */
  publish(channel: string, payload: string | Buffer, telling?: Telling | null): Promise<void>;
  /** Resolves when payloads published from now on will be delivered. @throws UnavailableError (then not followed) */
  follow(channel: string): Promise<void>;
  /** Takes one `follow` back; the channel itself is let go some time after the last. */
  unfollow(channel: string): void;
  /** The position of what was delivered last; null on a bus that keeps no history. Synchronous. */
  position(): string | null;
  /**
   * Resolves when everything up to a position was delivered here, as a node that was ahead of this one has told it to a
   * client; or when that does not come about in time, or the signal is aborted. At once where no other node can be ahead.
   */
  reach(position: string, signal: AbortSignal): Promise<void>;
  /**
   * Gives what a client missed, page by page; the last page and going live share one turn, so that nothing falls
   * between. A bus without history goes live at once. Resolves without going live where the signal is aborted.
   * @throws whatever `page` throws
   */
  resume(resumption: Resumption): Promise<void>;
  /** True when publishing and hearing have been proved, by a probe that came back. */
  ready(): boolean;
  /** What the last probe took to come back, in milliseconds; null where nothing is between publishing and hearing. */
  lagMs(): number | null;
  /** Exactly one listener, set before `start`. */
  listen(listener: BusListener): void;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Why broadcasts may have been lost: the connection that hears was cut; it was open but brought nothing; Redis
 * answered nothing for so long that the connections were given up; another Redis is the master now (Sentinel, a
 * slot that moved); a master of Redis Cluster was replaced or lost its data. With a history: nobody was listening for a
 * while, so that the log began anew; the log lacks entries, or was trimmed before this node had read them; what a client missed is older than the history; the position that it sent is none
 * of this history's.
 */
export type GapReason =
  | 'connection_lost'
  | 'deaf'
  | 'silent'
  | 'master_changed'
  | 'master_replaced'
  | 'log_restarted'
  | 'log_hole'
  | 'history_trimmed'
  | 'unknown_position';

export interface BusListener {
  /** Synchronous. `position` is null on a bus without history. */
  deliver(channel: string, payload: Buffer, position: string | null): void;
  /** Broadcasts were or may have been lost here; called at the moment of the loss. */
  gap(reason: GapReason, position: string | null): void;
  /** Readiness changed; true after an outage: time to put the roster right. */
  readiness(ready: boolean): void;
}

/** One of what a client missed: a broadcast, or the place where some may be missing. */
export type HistoryItem =
  | {
      readonly type: 'entry';
      readonly channel: string;
      readonly payload: Buffer;
      readonly position: string;
    }
  | { readonly type: 'gap'; readonly reason: GapReason; readonly position: string };

/** A client that comes back, on channels that it may see now. */
export interface Resumption {
  /** The last position that it has, as it sent it; null: it has none, and nothing is replayed. */
  readonly from: string | null;
  /** Bus channels. */
  readonly channels: ReadonlySet<string>;
  /** Takes missed items, oldest first; the next page waits until it resolves. */
  page(items: readonly HistoryItem[]): Promise<void>;
  /**
   * Takes the last items and goes live, synchronously.
   * @param end `complete`: everything since `from` was given; `position`: of the last broadcast before going live,
   *   null on a bus without history
   */
  live(
    items: readonly HistoryItem[],
    end: { readonly complete: boolean; readonly position: string | null },
  ): void;
  readonly signal: AbortSignal;
}

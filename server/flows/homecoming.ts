import type { Connection } from '../connection/connection.ts';
import type { Arrival } from './arrival.ts';
import { goLive } from './go-live.ts';
import { LeftChannels } from './left-channels.ts';
import type { Parts } from './parts.ts';

/** So long after its first subscribe a client's subscribes are those of its former connection, in milliseconds. */
const HOMECOMING_MS = 5_000;
/** The first may be so long in coming, in milliseconds: after that the page has had no channel before. */
const FIRST_SUBSCRIBE_MS = 30_000;
/** So long after the last one a burst of subscribes is over, in milliseconds. */
const QUIET_MS = 40;
/**
 * By polling, a burst's first subscribe travels alone and the rest one round trip later, or when the client has gone
 * over to WebSocket. A round trip is what the first took to come after CONNECT; this many of them are waited for,
 * within these bounds in milliseconds.
 */
const QUIET_ROUND_TRIPS = 2;
const MIN_QUIET_IN_PIECES_MS = 250;
const MAX_QUIET_IN_PIECES_MS = 1_500;

export interface HomecomingOptions {
  /** The last position that the client has on all its channels; null: it is new. */
  readonly offset: string | null;
  /** Whether a burst of commands comes in pieces. */
  readonly comesInPieces: () => boolean;
  /**
   * Tells the client that it has not got further than this position: what it had on other channels since then counts
   * no more, until the channel that is behind has caught up.
   */
  readonly rewind: (channel: string, position: string) => void;
}

/** One subscribe on its way, from its command to its end. */
export class Coming {
  readonly wire: string;
  /** The position that it goes on from; null: it begins where it goes live. */
  readonly from: string | null;
  /** Whether the client keeps one position for all its channels, which this one holds back. */
  readonly holds: boolean;
  arrival: Arrival | null = null;

  constructor(wire: string, from: string | null, holds: boolean) {
    this.wire = wire;
    this.from = from;
    this.holds = holds;
  }
}

/**
 * A connection's subscribes that go on from an earlier place: those of a client that came back, and of a channel that
 * was left a moment ago. They are gathered, until all of a burst are admitted or refused, and go live together. One
 * that comes too late for that, a straggler, goes on by itself; as long as it is behind, the client is sent no newer
 * position: doubles after another cut can be, losses that nobody is told of cannot.
 */
export class Homecoming {
  readonly #parts: Parts;
  readonly #connection: Connection;
  readonly #options: HomecomingOptions;
  readonly #left = new LeftChannels();
  readonly #connectedAtMs = Date.now();
  readonly #coming = new Set<Coming>();
  /** Until when a subscribe goes on from the offset; null: none has come yet. */
  #homeAtMs: number | null = null;
  /** Of those that are gathered now, the first and the last. */
  #firstAtMs = 0;
  #lastAtMs = 0;
  #quietMs = QUIET_MS;
  #timer: NodeJS.Timeout | null = null;
  #landing = false;

  constructor(parts: Parts, connection: Connection, options: HomecomingOptions) {
    this.#parts = parts;
    this.#connection = connection;
    this.#options = options;
  }

  /** A channel was left by the client's own will; it may be back at once. */
  left(wire: string): void {
    const position = this.#parts.bus.position();
    if (position !== null) this.#left.add(wire, position);
  }

  /**
   * A subscribe begins.
   * @param since the client's own position on this channel, null for none; undefined: it keeps one for all its channels
   */
  expect(wire: string, since: string | null | undefined): Coming {
    const from = since === undefined ? this.#placeOf(wire) : since;
    const coming = new Coming(wire, from, since === undefined);
    if (from === null) return coming;
    const nowMs = Date.now();
    if (this.#coming.size === 0) this.#firstAtMs = nowMs;
    this.#lastAtMs = nowMs;
    this.#quietMs = this.#quietAfter(nowMs);
    this.#coming.add(coming);
    this.#hold();
    if (coming.holds && this.#isAheadOf(from)) this.#options.rewind(wire, from);
    this.#schedule();
    return coming;
  }

  /** It is admitted. Resolves when it is live, or over. */
  async arrive(coming: Coming, arrival: Arrival): Promise<void> {
    if (!this.#coming.has(coming))
      return goLive(this.#parts, this.#connection, [arrival], {
        othersBehind: () => this.#connection.positionsHeld,
        landed: () => {},
      });
    coming.arrival = arrival;
    this.#schedule();
    await arrival.ended;
  }

  /** The subscribe has come to its end, whichever. */
  over(coming: Coming): void {
    if (!this.#coming.delete(coming)) return;
    this.#hold();
    this.#schedule();
  }

  /** Where a channel of this client goes on. One that was live here goes on from where it was left, or begins anew. */
  #placeOf(wire: string): string | null {
    const nowMs = Date.now();
    const isEarly = nowMs - this.#connectedAtMs <= FIRST_SUBSCRIBE_MS;
    this.#homeAtMs ??= isEarly ? nowMs + HOMECOMING_MS : 0;
    const left = this.#left.placeOf(wire);
    if (left !== undefined) return left;
    return nowMs <= this.#homeAtMs ? this.#options.offset : null;
  }

  #quietAfter(nowMs: number): number {
    if (!this.#options.comesInPieces()) return QUIET_MS;
    if (this.#coming.size > 0) return this.#quietMs;
    const roundTripMs = nowMs - this.#connectedAtMs;
    const quietMs = QUIET_ROUND_TRIPS * roundTripMs;
    return Math.max(MIN_QUIET_IN_PIECES_MS, Math.min(MAX_QUIET_IN_PIECES_MS, quietMs));
  }

  /** Whether the client may have been sent a position after this one. */
  #isAheadOf(position: string): boolean {
    return this.#connection.subscriptions.size > 0 && position !== this.#parts.bus.position();
  }

  #hold(): void {
    this.#connection.positionsHeld = [...this.#coming].some(({ holds }) => holds);
  }

  #schedule(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#landing) return;
    const waiting = this.#waiting();
    if (waiting.length === 0) return;
    const quietAtMs =
      waiting.length === this.#coming.size ? this.#lastAtMs + this.#quietMs : Number.POSITIVE_INFINITY;
    const dueAtMs = Math.min(quietAtMs, this.#firstAtMs + HOMECOMING_MS);
    this.#timer = setTimeout(() => this.#land(), Math.max(0, dueAtMs - Date.now()));
  }

  #waiting(): Coming[] {
    return [...this.#coming].filter(({ arrival }) => arrival !== null);
  }

  #land(): void {
    const group = this.#waiting();
    this.#landing = true;
    const arrivals = group.flatMap(({ arrival }) => arrival ?? []);
    goLive(this.#parts, this.#connection, arrivals, {
      othersBehind: () => [...this.#coming].some((coming) => coming.holds && !group.includes(coming)),
      landed: () => {
        for (const coming of group) this.#coming.delete(coming);
        this.#hold();
      },
    })
      .catch((err: unknown) =>
        this.#parts.log.error(
          { err, connection: this.#connection.id, stage: 'homecoming' },
          'a replay failed',
        ),
      )
      .finally(() => {
        this.#landing = false;
        this.#firstAtMs = Date.now();
        this.#schedule();
      });
  }
}

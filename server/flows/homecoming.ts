import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Connection } from '../connection/connection.ts';
import type { Subscription } from '../connection/subscription.ts';
import type { Arrival } from './arrival.ts';
import { goLive } from './go-live.ts';
import { LeftChannels } from './left-channels.ts';
import type { Parts } from './parts.ts';

/** So long after its first subscribe a client's subscribes are those of its former connection, in milliseconds. */
const HOMECOMING_MS = 5_000;
/** The first may be so long in coming, in milliseconds: after that the page has had no channel before. */
const FIRST_SUBSCRIBE_MS = 30_000;
/** So long after the last one a burst of subscribes is over, in milliseconds: a page may need more than one turn for it. */
const QUIET_MS = 40;

export interface HomecomingOptions {
  /** The last position that the client has on all its channels; null: it is new. */
  readonly offset: string | null;
  /** Resolves when all that the client sent in the same turn as the command that is handled now has come. */
  readonly heardOut: () => Promise<void>;
  /** Tells the client that it has got as far as this position on all its channels. */
  readonly tellPlace: (position: string) => void;
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
 * position: doubles after another cut can be, losses that nobody is told of cannot. So it is, too, until all has come
 * that the client sent together with a subscribe, or with the leaving of a channel that it may take again at once.
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
  /** Commands of which it is not known yet what was sent together with them. */
  #unheard = 0;
  #timer: NodeJS.Timeout | null = null;
  #landing = false;

  constructor(parts: Parts, connection: Connection, options: HomecomingOptions) {
    this.#parts = parts;
    this.#connection = connection;
    this.#options = options;
  }

  /**
   * A channel was left by the client's own will; it may be back at once.
   * @param leaving settles before a subscribe of the same channel begins
   */
  left({ wire, keepsPosition }: Subscription, leaving: Promise<void>): void {
    const position = this.#parts.bus.position();
    if (position === null) return;
    this.#left.add(wire, position);
    if (!keepsPosition) void this.#hearOut(leaving);
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
    this.#coming.add(coming);
    if (coming.holds) void this.#hearOut();
    this.#hold();
    if (coming.holds && this.#isAheadOf(from)) this.#options.rewind(wire, from);
    this.#schedule();
    return coming;
  }

  /** Whether the client's one position stands for this channel too, so that it would be given what it missed. */
  wouldBring(wire: string, since: string | null | undefined): boolean {
    return since === undefined && this.#placeOf(wire) !== null;
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
    this.#release();
    this.#schedule();
  }

  async #hearOut(alsoUntil?: Promise<void>): Promise<void> {
    this.#unheard++;
    this.#hold();
    await Promise.allSettled([this.#options.heardOut(), alsoUntil]);
    // By then a subscribe that waited behind it has begun.
    await nextTurn();
    this.#unheard--;
    this.#release();
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

  /** Whether the client may have been sent a position after this one. */
  #isAheadOf(position: string): boolean {
    return this.#connection.subscriptions.size > 0 && position !== this.#parts.bus.position();
  }

  #hold(): void {
    this.#connection.positionsHeld = this.#unheard > 0 || [...this.#coming].some(({ holds }) => holds);
  }

  /** Where nothing is held back any more, the client learns at once how far it is. */
  #release(): void {
    this.#hold();
    if (this.#connection.positionsHeld || !this.#connection.positionOwed) return;
    this.#connection.positionOwed = false;
    const position = this.#parts.bus.position();
    if (position !== null) this.#options.tellPlace(position);
  }

  #schedule(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#landing) return;
    const waiting = this.#waiting();
    if (waiting.length === 0) return;
    const allHaveCome = this.#unheard === 0 && waiting.length === this.#coming.size;
    const quietAtMs = allHaveCome ? this.#lastAtMs + QUIET_MS : Number.POSITIVE_INFINITY;
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
      othersBehind: () =>
        this.#unheard > 0 || [...this.#coming].some((coming) => coming.holds && !group.includes(coming)),
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

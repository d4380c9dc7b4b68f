import type { PositionKeeper } from './position-keeper.ts';

/** `<epoch>-<index>`: a place in the server's log, the same for all channels of all its nodes. */
const form = /^(\d{1,16})-(\d{1,16})$/;

/** What a subscribe says of this channel's position; null: none, though the server gives positions. */
export type Since = { readonly since?: string | null };

interface Place {
  position: string | null;
  /** Whether the server feeds the channel on this connection, so that what others are sent counts for it too. */
  isLive: boolean;
}

/**
 * How far each channel is in the server's log. For each and not for the connection: after a cut the subscribes are
 * spread, since one may have to fetch a new token first, and must still go on from where that channel was.
 */
export class Positions {
  readonly #places = new Map<string, Place>();
  /** Channels that are being left: until the server has confirmed it, events are of the membership that was left. */
  readonly #leaving = new Map<string, object>();
  readonly #keeper: PositionKeeper | null;
  /** Whether this server has ever given a position. To one that has not, none is sent. */
  #isKnown = false;

  /** `keeper`: takes them over a reload of the page. */
  constructor(keeper: PositionKeeper | null) {
    this.#keeper = keeper;
    keeper?.follow(() => this.#all());
  }

  /**
   * What goes into the subscribe. An explicit null where the channel is new: without it the server would take the
   * position of the former connection, and replay what happened before the page wanted this channel.
   */
  since(wireName: string): Since {
    const kept = this.#keeper?.take(wireName) ?? null;
    const place = this.#place(wireName);
    place.position ??= kept;
    if (place.position !== null) return { since: place.position };
    return this.#isKnown ? { since: null } : {};
  }

  /** The server has sent an event of this channel; `position` is its last argument, still foreign. */
  event(wireName: string, event: string, position: unknown): void {
    const known = isPosition(position) ? position : null;
    const place = this.#place(wireName);
    if (event === 'subscription_error') place.isLive = false;
    if (known !== null) {
      this.#isKnown = true;
      // The log is one order, and so is the connection: what is live has been given everything before this.
      for (const other of this.#places.values()) {
        if (other.isLive && isAfter(known, other.position)) other.position = known;
      }
      // A channel's own events come in order, and the server knows better: its log may have begun anew.
      place.position = known;
      this.#keeper?.changed();
    }
    if (event === 'subscription_succeeded') place.isLive = true;
  }

  /** The membership is over, or cut: the channel stays where it is. */
  halt(wireName: string): void {
    const place = this.#places.get(wireName);
    if (place) place.isLive = false;
  }

  /**
   * The page leaves the channel. It begins anew the next time, except within this very turn: the hooks of React
   * leave and join again where only their callback changed, and nothing must fall between.
   * @returns what to call when the server has confirmed it
   */
  left(wireName: string): () => void {
    const place = this.#places.get(wireName);
    this.halt(wireName);
    this.#keeper?.take(wireName);
    const leaving = {};
    if (this.#isKnown) this.#leaving.set(wireName, leaving);
    setTimeout(() => {
      // Taken up again: then it has been given another place.
      if (this.#places.get(wireName) === place) this.#places.delete(wireName);
      this.#keeper?.changed();
    }, 0);
    return () => {
      if (this.#leaving.get(wireName) === leaving) this.#leaving.delete(wireName);
    };
  }

  /** A channel is created: it goes on where one of its name was left in this turn. */
  joined(wireName: string): void {
    const left = this.#places.get(wireName);
    if (left) this.#places.set(wireName, { position: left.position, isLive: false });
  }

  /** Whether what comes for this name now belongs to the membership that was left. It comes again, by the replay. */
  isLeaving(wireName: string): boolean {
    return this.#leaving.has(wireName);
  }

  #place(wireName: string): Place {
    const place = this.#places.get(wireName) ?? { position: null, isLive: false };
    this.#places.set(wireName, place);
    return place;
  }

  #all(): Array<[wireName: string, position: string]> {
    const all: Array<[string, string]> = [];
    for (const [wireName, { position }] of this.#places)
      if (position !== null) all.push([wireName, position]);
    return all;
  }
}

/** Whether it can be a position at all. */
export function isPosition(value: unknown): value is string {
  return typeof value === 'string' && form.test(value);
}

function isAfter(position: string, other: string | null): boolean {
  if (other === null) return true;
  const [epoch, index] = numbers(position);
  const [otherEpoch, otherIndex] = numbers(other);
  return epoch > otherEpoch || (epoch === otherEpoch && index > otherIndex);
}

function numbers(position: string): [epoch: number, index: number] {
  const [, epoch, index] = form.exec(position) ?? [];
  return [Number(epoch), Number(index)];
}

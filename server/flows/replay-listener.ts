import type { GapReason } from '../broker/bus/bus.ts';
import { type Destination, reaches } from '../domain/broadcast.ts';
import type { Frame } from '../domain/frame.ts';
import { comparePositions, type Position } from '../domain/position.ts';
import type { Protocol } from '../domain/protocol.ts';
import type { SubscriptionKind } from '../domain/subscription.ts';
import type { Listener } from '../hub/hub.ts';
import type { Arrival } from './arrival.ts';

/** One arriving subscription as a replay serves it: only with what comes after its own position, as long as it may. */
export class ReplayListener implements Listener {
  readonly wire: string;
  readonly kind: SubscriptionKind;
  readonly protocol: Protocol;
  readonly socketIds: readonly string[];
  /** Frames written for it. */
  replayed = 0;
  readonly gaps: GapReason[] = [];
  readonly #arrival: Arrival;
  readonly #at: () => Position;
  readonly #send: (frame: Frame) => void;
  readonly #others: () => Iterable<ReplayListener>;

  /**
   * @param at the place of what is given now
   * @param others those of the same connection
   */
  constructor(
    arrival: Arrival,
    at: () => Position,
    send: (frame: Frame) => void,
    others: () => Iterable<ReplayListener>,
  ) {
    const { wire, kind, protocol, socketIds } = arrival.subscription;
    this.wire = wire;
    this.kind = kind;
    this.protocol = protocol;
    this.socketIds = socketIds;
    this.#arrival = arrival;
    this.#at = at;
    this.#send = send;
    this.#others = others;
  }

  get userId(): string | null {
    return this.#arrival.subscription.userId;
  }

  awaitsOn(later: readonly Destination[]): boolean {
    if (this.#arrival.subscription.keepsPosition) return false;
    for (const other of this.#others()) {
      if (other.isBehind() && later.some((to) => to.wire === other.wire && reaches(to, other))) return true;
    }
    return false;
  }

  write(frame: Frame): void {
    if (!this.isBehind()) return;
    this.replayed++;
    this.#send(frame);
  }

  /** Some of what it missed may be lost here. */
  tellGap(reason: GapReason, position: string | null): void {
    if (this.#arrival.over) return;
    this.gaps.push(reason);
    const { wire } = this;
    const write = (frame: Frame) => {
      this.#send(frame);
      return 1;
    };
    this.protocol.deliver({ wire, write }, { type: 'gap', reason }, position);
  }

  /** Whether what is given now comes after what it has. */
  isBehind(): boolean {
    const { over, since } = this.#arrival;
    return !over && since !== null && comparePositions(this.#at(), since) > 0;
  }
}

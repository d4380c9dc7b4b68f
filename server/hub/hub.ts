import { type Broadcast, type Destination, EVERYBODY, type Recipients } from '../domain/broadcast.ts';
import type { Frame } from '../domain/frame.ts';
import type { Audience, Protocol } from '../domain/protocol.ts';
import type { SubscriptionKind } from '../domain/subscription.ts';

/** What the hub needs of a subscription. */
export interface Listener {
  readonly wire: string;
  readonly kind: SubscriptionKind;
  readonly protocol: Protocol;
  /** Its own id, then those of the connections that it continues. */
  readonly socketIds: readonly string[];
  readonly userId: string | null;
  /** Whether its client has got as far as a position only when it was given the same there. */
  awaitsOn(later: readonly Destination[]): boolean;
  write(frame: Frame): void;
}

const NOWHERE: readonly Destination[] = [];

type ByKind = Map<SubscriptionKind, Set<Listener>>;

export interface HubObserver {
  /** An audience was served. */
  delivered(protocol: string, receivers: number): void;
  /** A protocol threw, which it must not: the others were served all the same. */
  faulted(protocol: string, error: unknown): void;
}

/** Channel -> live subscriptions of this node. Blind to what protocols speak. */
export class Hub {
  readonly #channels = new Map<string, Map<Protocol, ByKind>>();
  readonly #observer: HubObserver;

  constructor(observer: HubObserver) {
    this.#observer = observer;
  }

  join(listener: Listener): void {
    const protocols = this.#channels.get(listener.wire) ?? new Map<Protocol, ByKind>();
    const kinds = protocols.get(listener.protocol) ?? (new Map() as ByKind);
    const listeners = kinds.get(listener.kind) ?? new Set<Listener>();
    listeners.add(listener);
    this.#channels.set(listener.wire, protocols.set(listener.protocol, kinds.set(listener.kind, listeners)));
  }

  leave(listener: Listener): void {
    const protocols = this.#channels.get(listener.wire);
    const kinds = protocols?.get(listener.protocol);
    const listeners = kinds?.get(listener.kind);
    if (!protocols || !kinds || !listeners?.delete(listener) || listeners.size > 0) return;
    kinds.delete(listener.kind);
    if (kinds.size === 0) protocols.delete(listener.protocol);
    if (protocols.size === 0) this.#channels.delete(listener.wire);
  }

  /**
   * Hands a broadcast to every subscription of these kinds on a channel: one call for each protocol.
   * @param later where the same broadcast is handed out next: a client that it reaches there has not got as far as its
   * position before that
   */
  deliver(
    wire: string,
    kinds: readonly SubscriptionKind[],
    broadcast: Broadcast,
    recipients: Recipients,
    position: string | null,
    later: readonly Destination[] = NOWHERE,
  ): void {
    for (const [protocol, byKind] of this.#channels.get(wire) ?? []) {
      const listeners = kinds.flatMap((kind) => byKind.get(kind) ?? []);
      if (listeners.length > 0)
        this.#serve(protocol, new ListenerAudience(wire, listeners, recipients, later), broadcast, position);
    }
  }

  /** Hands a broadcast to every subscription of every channel, to each protocol channel by channel. */
  deliverEverywhere(broadcast: Broadcast, position: string | null): void {
    for (const [wire, protocols] of this.#channels) {
      for (const [protocol, byKind] of protocols) {
        this.#serve(
          protocol,
          new ListenerAudience(wire, [...byKind.values()], EVERYBODY, NOWHERE),
          broadcast,
          position,
        );
      }
    }
  }

  /** Live subscriptions for each wire name; a raw session counts under X. */
  counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const [wire, protocols] of this.#channels) {
      let count = 0;
      for (const byKind of protocols.values())
        for (const listeners of byKind.values()) count += listeners.size;
      counts.set(wire, count);
    }
    return counts;
  }

  /** Wire names with a live subscription. */
  get channelCount(): number {
    return this.#channels.size;
  }

  #serve(
    protocol: Protocol,
    audience: ListenerAudience,
    broadcast: Broadcast,
    position: string | null,
  ): void {
    try {
      protocol.deliver(audience, broadcast, position);
    } catch (error) {
      this.#observer.faulted(protocol.name, error);
    }
    if (audience.receivers > 0) this.#observer.delivered(protocol.name, audience.receivers);
  }
}

class ListenerAudience implements Audience {
  receivers = 0;
  readonly wire: string;
  readonly #listeners: readonly ReadonlySet<Listener>[];
  readonly #recipients: Recipients;
  readonly #later: readonly Destination[];

  constructor(
    wire: string,
    listeners: readonly ReadonlySet<Listener>[],
    recipients: Recipients,
    later: readonly Destination[],
  ) {
    this.wire = wire;
    this.#listeners = listeners;
    this.#recipients = recipients;
    this.#later = later;
  }

  // The hot path: nothing is allocated or encoded here for a receiver.
  write(frame: Frame): number {
    const { exceptSocketId, userId } = this.#recipients;
    for (const listeners of this.#listeners) {
      for (const listener of listeners) {
        if (exceptSocketId !== null && listener.socketIds.includes(exceptSocketId)) continue;
        if (userId !== null && listener.userId !== userId) continue;
        const held = this.#later.length > 0 && listener.awaitsOn(this.#later);
        listener.write(held ? (frame.withoutPosition?.() ?? frame) : frame);
        this.receivers++;
      }
    }
    return this.receivers;
  }
}

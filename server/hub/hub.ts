import { type Broadcast, EVERYBODY, type Recipients } from '../domain/broadcast.ts';
import type { Frame } from '../domain/frame.ts';
import type { Audience, Protocol } from '../domain/protocol.ts';
import type { SubscriptionKind } from '../domain/subscription.ts';

/** What the hub needs of a subscription. */
export interface Listener {
  readonly wire: string;
  readonly kind: SubscriptionKind;
  readonly protocol: Protocol;
  readonly socketId: string;
  readonly userId: string | null;
  write(frame: Frame): void;
}

type ByProtocol = Map<Protocol, Set<Listener>>;

/** Channel -> live subscriptions of this node. Blind to what protocols speak. */
export class Hub {
  readonly #channels = new Map<string, Map<SubscriptionKind, ByProtocol>>();
  readonly #onDelivered: (protocol: string, receivers: number) => void;

  /** @param onDelivered told of each audience served; for counting */
  constructor(onDelivered: (protocol: string, receivers: number) => void = () => {}) {
    this.#onDelivered = onDelivered;
  }

  join(listener: Listener): void {
    const kinds = this.#channels.get(listener.wire) ?? new Map<SubscriptionKind, ByProtocol>();
    const protocols = kinds.get(listener.kind) ?? new Map<Protocol, Set<Listener>>();
    const listeners = protocols.get(listener.protocol) ?? new Set<Listener>();
    listeners.add(listener);
    this.#channels.set(listener.wire, kinds.set(listener.kind, protocols.set(listener.protocol, listeners)));
  }

  leave(listener: Listener): void {
    const kinds = this.#channels.get(listener.wire);
    const protocols = kinds?.get(listener.kind);
    const listeners = protocols?.get(listener.protocol);
    if (!kinds || !protocols || !listeners?.delete(listener) || listeners.size > 0) return;
    protocols.delete(listener.protocol);
    if (protocols.size === 0) kinds.delete(listener.kind);
    if (kinds.size === 0) this.#channels.delete(listener.wire);
  }

  /** Hands a broadcast to every subscription of these kinds on a channel: one call for each protocol. */
  deliver(
    wire: string,
    kinds: readonly SubscriptionKind[],
    broadcast: Broadcast,
    recipients: Recipients,
    position: string | null,
  ): void {
    const channel = this.#channels.get(wire);
    if (channel === undefined) return;
    for (const kind of kinds) {
      for (const [protocol, listeners] of channel.get(kind) ?? []) {
        const audience = new ListenerAudience(wire, listeners, recipients);
        protocol.deliver(audience, broadcast, position);
        if (audience.receivers > 0) this.#onDelivered(protocol.name, audience.receivers);
      }
    }
  }

  /** Hands a broadcast to every subscription of every channel, to each protocol channel by channel. */
  deliverEverywhere(broadcast: Broadcast, position: string | null): void {
    for (const [wire, kinds] of this.#channels) {
      this.deliver(wire, [...kinds.keys()], broadcast, EVERYBODY, position);
    }
  }

  /** Live subscriptions for each wire name; a raw session counts under X. */
  counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const [wire, kinds] of this.#channels) {
      let count = 0;
      for (const protocols of kinds.values())
        for (const listeners of protocols.values()) count += listeners.size;
      counts.set(wire, count);
    }
    return counts;
  }
}

class ListenerAudience implements Audience {
  receivers = 0;
  readonly wire: string;
  readonly #listeners: ReadonlySet<Listener>;
  readonly #recipients: Recipients;

  constructor(wire: string, listeners: ReadonlySet<Listener>, recipients: Recipients) {
    this.wire = wire;
    this.#listeners = listeners;
    this.#recipients = recipients;
  }

  // The hot path: nothing is allocated or encoded here for a receiver.
  write(frame: Frame): number {
    const { exceptSocketId, userId } = this.#recipients;
    for (const listener of this.#listeners) {
      if (exceptSocketId !== null && listener.socketId === exceptSocketId) continue;
      if (userId !== null && listener.userId !== userId) continue;
      listener.write(frame);
      this.receivers++;
    }
    return this.receivers;
  }
}

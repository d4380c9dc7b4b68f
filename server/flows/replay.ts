import { setImmediate as nextTurn } from 'node:timers/promises';
import type { GapReason, HistoryItem } from '../broker/bus/bus.ts';
import { decodeCustomMessage, decodePayload, isDropped } from '../broker/bus/laravel-wire.ts';
import { CUSTOM_CHANNEL } from '../domain/channel-name.ts';
import type { Frame } from '../domain/frame.ts';
import { type Position, parsePosition } from '../domain/position.ts';
import { Hub } from '../hub/hub.ts';
import type { Arrival } from './arrival.ts';
import { type DeliveryParts, deliverBroadcast } from './deliver-broadcast.ts';
import type { Parts } from './parts.ts';
import { ReplayListener } from './replay-listener.ts';

/** What a replay leaves out: the lists replace comings and goings, and nothing is counted or logged twice. */
const LEFT_OUT: Pick<DeliveryParts, 'views' | 'sends' | 'drops' | 'meters'> = {
  views: { get: () => null },
  sends: { arrived: () => {} },
  drops: { dropped: () => {} },
  meters: { broadcast: () => {} },
};

/**
 * Brings what was missed to subscriptions that are not live yet, by the one delivery path: a hub of their own stands
 * in for the node's, so that each is given what it would have been given live.
 */
export class Replay {
  readonly #parts: Parts;
  readonly #hub: Hub;
  readonly #delivery: DeliveryParts;
  readonly #listeners: ReadonlyMap<Arrival, ReplayListener>;
  readonly #rooms: ReadonlySet<string>;
  /** The place of what is given now. */
  #at: Position = { epoch: 0, index: 0 };

  /** @param send sends one frame to the connection that the arrivals are of */
  constructor(parts: Parts, arrivals: readonly Arrival[], send: (frame: Frame) => void) {
    this.#parts = parts;
    this.#hub = new Hub({
      delivered: () => {},
      faulted: (protocol, err) => parts.log.error({ err, protocol, stage: 'replay' }, 'a replay failed'),
    });
    this.#delivery = { ...LEFT_OUT, ...pick(parts), hub: this.#hub };
    this.#listeners = new Map(
      arrivals.map((arrival) => [
        arrival,
        new ReplayListener(
          arrival,
          () => this.#at,
          send,
          () => this.#listeners.values(),
        ),
      ]),
    );
    for (const listener of this.#listeners.values()) this.#hub.join(listener);
    this.#rooms = new Set(arrivals.flatMap(({ subscription }) => subscription.room ?? []));
  }

  /** Frames written for one of the arrivals so far. */
  replayedTo(arrival: Arrival): number {
    return this.#listeners.get(arrival)?.replayed ?? 0;
  }

  /** Why something is missing for one of the arrivals: what it was told, in order. */
  gapsOf(arrival: Arrival): readonly GapReason[] {
    return this.#listeners.get(arrival)?.gaps ?? [];
  }

  /** Tells one of the arrivals that something is missing, where the history did not. */
  tellGap(arrival: Arrival, reason: GapReason, position: string | null): void {
    this.#listeners.get(arrival)?.tellGap(reason, position);
  }

  /** Gives items at once. */
  give(items: readonly HistoryItem[]): void {
    for (const item of items) this.#giveOne(item);
  }

  /** Gives items as fast as the client reads. @throws the signal's reason */
  async page(items: readonly HistoryItem[], signal: AbortSignal): Promise<void> {
    const connection = [...this.#listeners.keys()][0]?.subscription.connection;
    for (const item of items) {
      this.#giveOne(item);
      if (connection?.filling === true) await connection.drained(signal);
      if (signal.aborted) return;
    }
    // However fast this client reads, the others have their turn.
    await nextTurn();
  }

  #giveOne(item: HistoryItem): void {
    this.#at = parsePosition(item.position) ?? this.#at;
    if (item.type === 'gap') {
      for (const listener of this.#listeners.values())
        if (listener.isBehind()) listener.tellGap(item.reason, item.position);
      return;
    }
    const { channel, payload, position } = item;
    if (channel === CUSTOM_CHANNEL && !this.#rooms.has(roomOfCustomMessage(payload))) return;
    try {
      deliverBroadcast(this.#delivery, channel, payload, position);
    } catch (err) {
      this.#parts.log.error({ err, channel, stage: 'replay' }, 'a replay failed; the next broadcast goes on');
    }
  }
}

function pick({ reserved, channels, settings }: Parts): Pick<Parts, 'reserved' | 'channels' | 'settings'> {
  return { reserved, channels, settings };
}

/** Read once for all who come back: every room's messages come by the custom channel. */
const rooms = new WeakMap<Buffer, string>();

function roomOfCustomMessage(bytes: Buffer): string {
  const known = rooms.get(bytes);
  if (known !== undefined) return known;
  const payload = decodePayload(bytes);
  const message = isDropped(payload) ? payload : decodeCustomMessage(payload);
  // No room is named so.
  const room = isDropped(message) ? '' : message.channel;
  rooms.set(bytes, room);
  return room;
}

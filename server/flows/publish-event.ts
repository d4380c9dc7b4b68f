import type { Bus } from '../broker/bus/bus.ts';
import { encodeLaravelEvent } from '../broker/bus/laravel-wire.ts';

/** An event as an application publishes it, over HTTP here; Laravel itself writes the same to Redis. */
export interface EventToPublish {
  /** Channels by wire name, each once. */
  readonly wires: readonly string[];
  readonly event: string;
  /** JSON text, passed on byte for byte. */
  readonly dataJson: string;
  /** The one connection to leave out (toOthers), or null. */
  readonly socketId: string | null;
}

/**
 * Publishes an event in Laravel's envelope, so that it takes the one way that Laravel's own events take, on every
 * node and for a laravel-echo-server beside us too.
 *
 * @throws UnavailableError where the bus did not take it on every channel: which of them have it is unknown
 */
export async function publishEvent(bus: Pick<Bus, 'publish'>, toPublish: EventToPublish): Promise<void> {
  const { wires, event, dataJson, socketId } = toPublish;
  const envelope = encodeLaravelEvent({ event, data: dataJson, socketId });
  await Promise.all(wires.map((wire) => bus.publish(wire, envelope)));
}

import { encodeWhisper } from '../broker/bus/laravel-wire.ts';
import type { Connection } from '../connection/connection.ts';
import { parseChannelName } from '../domain/channel-name.ts';
import { isRejection, type Rejection, reject, UnavailableError } from '../domain/outcome.ts';
import { sizeRefusal } from './event-size.ts';
import type { Parts } from './parts.ts';
import { orderOf } from './room-routing.ts';

const WHISPER_EVENT = /^client-./s;

/**
 * A whisper: a client event for the others on a private or presence channel, over the same Redis channel as
 * Laravel's events (protocol.md sections 5 and 6).
 * @param whisper foreign input; `dataText` is JSON text
 */
export async function relayWhisper(
  parts: Parts,
  connection: Connection,
  whisper: { channel: unknown; event: unknown; dataText: string },
): Promise<{ readonly ok: true } | Rejection> {
  const tooFast = connection.whisperRefusal();
  if (tooFast !== null) return tooFast;
  const name = parseChannelName(whisper.channel, parts.reserved);
  if (isRejection(name)) return name;
  const { event, dataText: data } = whisper;
  if (typeof event !== 'string' || !WHISPER_EVENT.test(event) || !event.isWellFormed()) {
    return reject('invalid_event', "a whisper's event name begins with client-");
  }
  const subscription = connection.subscriptions.get(name.wire);
  const mayWhisper = subscription?.kind === 'private' || subscription?.kind === 'presence';
  if (subscription === undefined || !mayWhisper) {
    return reject('not_subscribed', 'whispers need a subscription of this private or presence channel');
  }
  const { socketId } = connection;
  const payload = encodeWhisper({ event, data, socketId, userId: subscription.userId });
  const tooLarge = sizeRefusal(parts, payload);
  if (tooLarge !== null) return tooLarge;
  try {
    const telling = parts.laravel.clientEvent(subscription, orderOf(name, parts.channels), { event, data });
    await parts.bus.publish(name.wire, payload, telling);
    return { ok: true };
  } catch (error) {
    if (error instanceof UnavailableError)
      return reject('unavailable', 'the whisper may or may not have been taken');
    throw error;
  }
}

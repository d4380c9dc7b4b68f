import { encodeRoomMessage } from '../broker/bus/room-envelope.ts';
import type { Connection } from '../connection/connection.ts';
import type { Subscription } from '../connection/subscription.ts';
import { type ChannelName, parseChannelName } from '../domain/channel-name.ts';
import { senderOf } from '../domain/member.ts';
import { isRejection, type Rejection, reject, UnavailableError } from '../domain/outcome.ts';
import { askBeforeSend } from './ask-before-send.ts';
import { sizeRefusal } from './event-size.ts';
import type { Parts } from './parts.ts';

export type SendOutcome = { readonly ok: true } | Rejection;

/**
 * A client sends a message into a room (design.md, journey 3): checked against the channel's definition, published,
 * and delivered to this node too only when the bus brings it back.
 *
 * @param channel the wire name that the client gave: X, private-X or presence-X
 * @param dataText JSON text of the data, kept byte for byte unless the definition reshapes it
 * @param answer called once, before the sender's own copy is written; `ok` means that the bus has taken it,
 *   `unavailable` that the outcome is unknown (it is never sent again by us)
 */
export async function sendMessage(
  parts: Parts,
  connection: Connection,
  { channel, dataText }: { channel: unknown; dataText: string },
  answer: (outcome: SendOutcome) => void,
): Promise<void> {
  const tooFast = connection.commandRefusal();
  if (tooFast !== null) return answer(tooFast);
  const name = parseChannelName(channel, parts.reserved);
  if (isRejection(name)) return answer(name);
  const subscription = sendingRight(connection, name);
  if (subscription === null || subscription.member === null) {
    return answer(reject('not_subscribed', 'sending needs a subscription of this channel by JWT'));
  }
  if (!parts.channels.of(name.base).definition.clientSend) {
    return answer(reject('send_forbidden', 'clients may not send on this channel'));
  }
  const shaped = parts.channels.shape(name.base, dataText);
  if (isRejection(shaped)) return answer(shaped);
  const passed = await askBeforeSend(parts, subscription, dataText, shaped);
  if (isRejection(passed)) return answer(passed);
  await publish(parts, name.base, subscription, passed, answer);
}

/** A JWT subscription of the room, by whichever of its wire names (protocol.md section 6); the named one's user goes first. */
function sendingRight(connection: Connection, name: ChannelName): Subscription | null {
  if (name.kind === 'encrypted') return null;
  for (const wire of [name.wire, name.base, `private-${name.base}`, `presence-${name.base}`]) {
    const subscription = connection.subscriptions.get(wire);
    if (subscription?.by === 'token' && subscription.room === name.base) return subscription;
  }
  return null;
}

async function publish(
  parts: Parts,
  room: string,
  subscription: Subscription,
  { data, userId }: { data: string; userId: string | null },
  answer: (outcome: SendOutcome) => void,
): Promise<void> {
  const { member } = subscription;
  if (member === null) return;
  const sender = senderOf(member);
  const tooLarge = sizeRefusal(parts, data);
  if (tooLarge !== null) return answer(tooLarge);
  let answered = false;
  const settle = (outcome: SendOutcome) => {
    if (answered) return;
    answered = true;
    parts.sends.delete(ref);
    answer(outcome);
  };
  const telling = parts.laravel.message(subscription, { data, userId });
  const ref = parts.sends.add(() => settle({ ok: true }));
  try {
    await parts.bus.publish(room, encodeRoomMessage({ ref, sender, userId, data }), telling);
    settle({ ok: true });
  } catch (error) {
    if (!(error instanceof UnavailableError)) {
      parts.sends.delete(ref);
      throw error;
    }
    settle(reject('unavailable', 'the message may or may not have been taken; it is not sent again'));
  }
}

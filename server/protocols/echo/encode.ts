import { catalogue } from '../../domain/catalogue.ts';
import { type Frame, webSocketTextFrame } from '../../domain/frame.ts';
import type { Member } from '../../domain/member.ts';
import { type Closure, retryAfter } from '../../domain/outcome.ts';
import { placeBefore } from '../../domain/position.ts';
import type { Sender } from '../../domain/sender.ts';
import type { Recovery } from '../../flows/arrival.ts';

/** Engine.IO's packet type "message", before Socket.IO's "event": what a WebSocket frame of either revision holds. */
const ENGINE_MESSAGE = '4';
const SOCKET_EVENT = '2';

/**
 * Socket.IO events, written by hand so that JSON texts pass as they are. The same text serves protocol revisions
 * 4 and 5 (socket.io-client 2 to 4). No event may end in a bare string other than the position, since
 * socket.io-client takes a trailing string for its recovery offset (protocol.md section 6).
 */
export function encodeEvent(event: string, wire: string, argument: string, position: string | null): Frame {
  const tail = position === null ? ']' : `,${JSON.stringify(position)}]`;
  const text = `${SOCKET_EVENT}[${JSON.stringify(event)},${JSON.stringify(wire)},${argument}${tail}`;
  const frame = { text, webSocketFrame: webSocketTextFrame(ENGINE_MESSAGE + text) };
  if (position === null) return frame;
  let bare: Frame | null = null;
  return {
    ...frame,
    withoutPosition: () => {
      bare ??= encodeEvent(event, wire, argument, null);
      return bare;
    },
  };
}

export function encodeMessage(wire: string, sender: Sender, data: string, position: string | null): Frame {
  const argument = `{"sender":{"name":${JSON.stringify(sender.name)},"id":${sender.idJson}},"data":${data}}`;
  return encodeEvent('message', wire, argument, position);
}

export function encodePresence(
  wire: string,
  type: 'joined' | 'left',
  member: Member,
  position: string | null,
): Frame {
  return encodeEvent(
    type === 'joined' ? 'presence:joining' : 'presence:leaving',
    wire,
    member.json,
    position,
  );
}

export function encodeMembers(wire: string, members: readonly Member[]): Frame {
  return encodeEvent('presence:subscribed', wire, `[${members.map((m) => m.json).join(',')}]`, null);
}

/** @param recovery null on a first subscribe */
export function encodeSubscribed(wire: string, recovery: Recovery | null, position: string | null): Frame {
  const info = recovery === null ? {} : { recovered: recovery.recovered, replayed: recovery.replayed };
  return encodeEvent('subscription_succeeded', wire, JSON.stringify(info), position);
}

/** How far all channels of a client are; Echo listens to nothing of that name. */
export function encodePosition(position: string): Frame {
  return encodeEvent('subscription_position', '', '{}', position);
}

/** This channel is only so far: what the client was sent before counts no more as its position. */
export function encodeRewind(wire: string, position: string): Frame {
  const { text, webSocketFrame } = encodeEvent('subscription_position', wire, '{}', position);
  return { text, webSocketFrame };
}

/** Why the connection ends, and when to come back; Echo listens to nothing of that name. */
export function encodeClosed(closure: Closure): Frame {
  const { code, message } = closure;
  const why = { code, status: catalogue[code].status, message, ...retryAfter(closure) };
  return encodeEvent('subscription_closed', '', JSON.stringify(why), null);
}

export function encodeSubscriptionError(wire: string, status: number): Frame {
  return encodeEvent('subscription_error', wire, String(status), null);
}

/**
 * What may be missing here cannot be brought (protocol.md section 12). All channels of a client are told, one after the
 * other; with the place of the gap itself, a client that is cut between them would be taken for told on all of them.
 */
export function encodeGap(wire: string, reason: string, position: string | null): Frame {
  const before = position === null ? null : placeBefore(position);
  return encodeEvent('subscription_gap', wire, JSON.stringify({ reason }), before);
}

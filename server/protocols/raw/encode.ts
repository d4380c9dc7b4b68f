import { type Frame, webSocketTextFrame } from '../../domain/frame.ts';
import { type Member, senderOf } from '../../domain/member.ts';
import { type Rejection, reasonOf, retryAfter } from '../../domain/outcome.ts';
import type { Sender } from '../../domain/sender.ts';
import type { Recovery } from '../../flows/arrival.ts';

/** The frames of protocol.md section 3, keys in the order printed there. */
/** @param history what a client that asked for positions is told: how far it is and, where it comes back, what it missed */
export function encodeConnected(
  members: readonly Member[],
  socketId: string,
  history: ({ readonly position: string | null } & Partial<Recovery>) | null,
): Frame {
  const users = members.map((m) => m.user).join(',');
  const more = history === null ? '' : `,${JSON.stringify(history).slice(1, -1)}`;
  return frame(`{"type":"connected","users":[${users}],"socketId":"${socketId}"${more}}`);
}

/** @param position null for clients that did not ask for it */
export function encodeMessage(sender: Sender, data: string, position: string | null): Frame {
  const more = position === null ? '' : `,"position":"${position}"`;
  return frame(`{"type":"message","sender":${encodeSender(sender)},"data":${data}${more}}`);
}

/** Messages may be missing here that nobody can bring. */
export function encodeGap(reason: string, position: string | null): Frame {
  return frame(JSON.stringify({ type: 'gap', reason, position }));
}

/** How far a client is on whose channel nothing happens. */
export function encodePosition(position: string): Frame {
  return frame(JSON.stringify({ type: 'position', position }));
}

export function encodePresence(type: 'joined' | 'left', member: Member): Frame {
  const user = encodeSender(senderOf(member));
  const kind = type === 'joined' ? 'connectOther' : 'disconnectOther';
  return frame(`{"type":"${kind}","sender":${user},"data":{"user":${user}}}`);
}

/** @param idJson the client's own `id` of the frame that is answered, as JSON text; undefined where it had none */
export function encodeSended(outcome: { readonly ok: true } | Rejection, idJson: string | undefined): Frame {
  const id = idJson === undefined ? '' : `,"id":${idJson}`;
  if (outcome.ok) return frame(`{"type":"sended","ok":true${id}}`);
  const error = JSON.stringify({
    code: outcome.code,
    message: outcome.message,
    ...retryAfter(outcome),
    ...reasonOf(outcome),
  });
  return frame(`{"type":"sended","ok":false${id},"error":${error}}`);
}

export function encodeError(error: { code: string; message: string; retryAfterMs?: number }): Frame {
  const { code, message } = error;
  return frame(JSON.stringify({ type: 'error', code, message, ...retryAfter(error) }));
}

function frame(text: string): Frame {
  return { text, webSocketFrame: webSocketTextFrame(text) };
}

function encodeSender({ idJson, name }: Sender): string {
  return `{"name":${JSON.stringify(name)},"id":${idJson}}`;
}

import { type Frame, webSocketTextFrame } from '../../domain/frame.ts';
import { type Member, senderOf } from '../../domain/member.ts';
import type { Rejection } from '../../domain/outcome.ts';
import type { Sender } from '../../domain/sender.ts';

/** The frames of protocol.md section 3, keys in the order printed there. */
export function encodeConnected(members: readonly Member[], socketId: string): Frame {
  return frame(
    `{"type":"connected","users":[${members.map((m) => m.user).join(',')}],"socketId":"${socketId}"}`,
  );
}

export function encodeMessage(sender: Sender, data: string): Frame {
  return frame(`{"type":"message","sender":${encodeSender(sender)},"data":${data}}`);
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
  const error = JSON.stringify({ code: outcome.code, message: outcome.message });
  return frame(`{"type":"sended","ok":false${id},"error":${error}}`);
}

export function encodeError({ code, message }: { code: string; message: string }): Frame {
  return frame(JSON.stringify({ type: 'error', code, message }));
}

function frame(text: string): Frame {
  return { text, webSocketFrame: webSocketTextFrame(text) };
}

function encodeSender({ idJson, name }: Sender): string {
  return `{"name":${JSON.stringify(name)},"id":${idJson}}`;
}

import { jsonValue } from '../../domain/json-text.ts';
import { decodeMember, type Member } from '../../domain/member.ts';
import type { Sender } from '../../domain/sender.ts';

/**
 * What clients cause in a room, as it travels on the room's own Redis channel. It bears no `event` key, so that
 * a laravel-echo-server beside us ignores it, and Laravel's broadcaster, which always writes one, cannot forge
 * it (protocol.md section 5).
 */
export type RoomEnvelope =
  | { readonly type: 'joined' | 'left'; readonly revision: number; readonly member: Member }
  | {
      readonly type: 'message';
      /** Names the publish, so that the sender's node knows its own message when it comes back. */
      readonly ref: string;
      readonly sender: Sender;
      readonly userId: string | null;
      readonly data: string;
    };

export function encodeRoomMessage(message: {
  ref: string;
  sender: Sender;
  userId: string | null;
  data: string;
}): string {
  const { ref, sender, userId, data } = message;
  const head = `{"yamabiko":"message","ref":${JSON.stringify(ref)},"sender":{"name":${JSON.stringify(sender.name)},"id":${sender.idJson}}`;
  return `${head}${userId === null ? '' : `,"user":${JSON.stringify(userId)}`},"data":${data}}`;
}

/**
 * A presence announcement up to its revision and from it on, so that a script that assigns the revision needs
 * only to join three strings.
 */
export function presenceEnvelopeParts(
  type: 'joined' | 'left',
  member: Member | string,
): [head: string, tail: string] {
  const json = typeof member === 'string' ? member : member.json;
  return [`{"yamabiko":"${type}","revision":`, `,"member":${json}}`];
}

/**
 * @param text the payload
 * @param parsed the same payload, parsed: it must hold the key `yamabiko`
 * @returns null where it is no envelope that this version understands
 */
export function decodeRoomEnvelope(text: string, parsed: Record<string, unknown>): RoomEnvelope | null {
  const { yamabiko: type, revision } = parsed;
  if (type === 'joined' || type === 'left') {
    const member = decodeMember(jsonValue(text, 'member') ?? '');
    return member !== null && Number.isSafeInteger(revision)
      ? { type, revision: revision as number, member }
      : null;
  }
  return type === 'message' ? decodeRoomMessage(text, parsed) : null;
}

function decodeRoomMessage(text: string, parsed: Record<string, unknown>): RoomEnvelope | null {
  const { ref, user = null } = parsed;
  const senderJson = jsonValue(text, 'sender') ?? '';
  const name = (parsed.sender as { name?: unknown } | undefined)?.name;
  const idJson = jsonValue(senderJson, 'id');
  const data = jsonValue(text, 'data');
  if (typeof ref !== 'string' || typeof name !== 'string' || idJson === undefined || !data?.startsWith('{'))
    return null;
  if (user !== null && typeof user !== 'string') return null;
  return { type: 'message', ref, sender: { idJson, name }, userId: user, data };
}

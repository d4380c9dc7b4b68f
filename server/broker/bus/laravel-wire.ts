import { isUtf8 } from 'node:buffer';
import { jsonValue, withJsonValue } from '../../domain/json-text.ts';
import type { Sender } from '../../domain/sender.ts';

/** Why a payload is not delivered: a bounded set, a label in metrics. */
export type DropReason =
  | 'too_large'
  | 'not_utf8'
  | 'not_json'
  | 'no_object'
  | 'no_event'
  | 'bad_channel'
  | 'bad_type'
  | 'bad_sender'
  | 'bad_data'
  | 'bad_envelope';

export interface Dropped {
  readonly dropped: DropReason;
}

export interface Payload {
  readonly text: string;
  readonly parsed: Record<string, unknown>;
}

/** Laravel's `redis` broadcaster, `{event, data, socket}` (Illuminate/Broadcasting/Broadcasters/RedisBroadcaster.php). */
export interface LaravelEvent {
  readonly event: string;
  /** JSON text as it came, a non-null `data.socket` made null. */
  readonly data: string;
  /** The one connection to leave out, or null. */
  readonly socketId: string | null;
}

/** The custom channel's `{channel, data, type, sender?}` (protocol.md section 4). */
export interface CustomMessage {
  readonly channel: string;
  readonly data: string;
  /** Null: the system user. */
  readonly sender: Sender | null;
}

export function isDropped(value: object): value is Dropped {
  return 'dropped' in value;
}

/** Any payload of Redis, from Laravel or a stranger, to JSON that may be cut: every fault has its reason. */
export function decodePayload(payload: Buffer): Payload | Dropped {
  if (!isUtf8(payload)) return { dropped: 'not_utf8' };
  const text = payload.toString();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { dropped: 'not_json' };
  }
  if (!isRecord(parsed)) return { dropped: 'no_object' };
  return { text, parsed };
}

export function decodeLaravelEvent({ text, parsed }: Payload): LaravelEvent | Dropped {
  const { event, data, socket } = parsed;
  if (typeof event !== 'string' || event === '') return { dropped: 'no_event' };
  const dataText = jsonValue(text, 'data') ?? 'null';
  return {
    event,
    // For Engine.IO 3 clients the id opens the session: nobody else may read it (protocol.md section 5).
    data:
      isRecord(data) && Object.hasOwn(data, 'socket') ? withJsonValue(dataText, 'socket', 'null') : dataText,
    socketId: typeof socket === 'string' ? socket : null,
  };
}

export function decodeCustomMessage({ text, parsed }: Payload): CustomMessage | Dropped {
  const { channel, type = 'message', sender = null } = parsed;
  if (typeof channel !== 'string') return { dropped: 'bad_channel' };
  if (type !== 'message') return { dropped: 'bad_type' };
  const data = jsonValue(text, 'data');
  if (!data?.startsWith('{')) return { dropped: 'bad_data' };
  if (sender === null) return { channel, data, sender: null };
  const idJson = jsonValue(jsonValue(text, 'sender') ?? '', 'id');
  if (!isRecord(sender) || typeof sender.name !== 'string' || idJson === undefined)
    return { dropped: 'bad_sender' };
  if (typeof sender.id !== 'number' && typeof sender.id !== 'string') return { dropped: 'bad_sender' };
  return { channel, data, sender: { idJson, name: sender.name } };
}

/**
 * Laravel's envelope, as its redis broadcaster writes it.
 * @param data JSON text, passed on byte for byte
 * @param socketId the one connection to leave out, or null
 */
export function encodeLaravelEvent({ event, data, socketId }: LaravelEvent, more = ''): string {
  return `{"event":${JSON.stringify(event)},"data":${data},"socket":${JSON.stringify(socketId)}${more}}`;
}

/** What a whisper travels in: Laravel's envelope, so that a laravel-echo-server beside us relays it too. */
export function encodeWhisper(whisper: {
  event: string;
  data: string;
  socketId: string;
  userId: string | null;
}): string {
  const { userId } = whisper;
  return encodeLaravelEvent(whisper, userId === null ? '' : `,"user_id":${JSON.stringify(userId)}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

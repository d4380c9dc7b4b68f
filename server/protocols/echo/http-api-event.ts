import { parseChannelName, type ReservedNames } from '../../domain/channel-name.ts';
import { jsonValue } from '../../domain/json-text.ts';
import { isRejection, type Rejection, reject } from '../../domain/outcome.ts';

/** What `POST /apps/:appId/events` asks for, checked. */
export interface DecodedEvent {
  /** Wire names, each once. */
  readonly wires: readonly string[];
  readonly event: string;
  /** JSON text, with the bytes that the application sent. */
  readonly dataJson: string;
  readonly socketId: string | null;
}

const MAX_CHANNELS = 100;

/**
 * Decodes `{channel | channels[], name, data, socket_id?}`.
 *
 * A string in `data` is decoded: where it holds JSON its text goes on as it is, else it is a plain string. Data
 * given as JSON is cut out of the body, so that numbers beyond 2^53 survive.
 * @returns `invalid_message` or `invalid_channel` for anything else; never throws
 */
export function decodeHttpEvent(body: Uint8Array, reserved: ReservedNames): DecodedEvent | Rejection {
  const text = decodeUtf8(body);
  const fields = text === null ? undefined : parseJson(text);
  if (text === null || fields === undefined) return reject('invalid_message', 'the body is not JSON');
  if (!isObject(fields)) return reject('invalid_message', 'the body must be a JSON object');

  const { channel, channels = channel, name, data, socket_id: socketId = null } = fields;
  const isMissing = [channels, name, data].some((v) => v === undefined || v === null || v === '');
  if (isMissing || (Array.isArray(channels) && channels.length === 0))
    return reject('invalid_message', 'Event must include channel, event name and data');
  if (typeof name !== 'string') return reject('invalid_message', 'name must be a string');
  if (socketId !== null && typeof socketId !== 'string')
    return reject('invalid_message', 'socket_id must be a string');
  const wires = decodeChannels(channels, reserved);
  if (isRejection(wires)) return wires;
  return { wires, event: name, dataJson: dataText(text, data), socketId };
}

function decodeChannels(channels: unknown, reserved: ReservedNames): readonly string[] | Rejection {
  const list: readonly unknown[] = Array.isArray(channels) ? channels : [channels];
  if (list.length > MAX_CHANNELS)
    return reject('invalid_message', `an event goes to ${MAX_CHANNELS} channels at most`);
  const wires = new Set<string>();
  for (const wire of list) {
    const name = parseChannelName(wire, reserved);
    if (isRejection(name)) return name;
    wires.add(name.wire);
  }
  return [...wires];
}

function dataText(body: string, data: unknown): string {
  if (typeof data === 'string' && parseJson(data) !== undefined) return data;
  return jsonValue(body, 'data') ?? 'null';
}

/** JSON is UTF-8; a wrong byte must not become a replacement character that nobody sent. */
function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** @returns undefined for what is no JSON: no JSON text has that value */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

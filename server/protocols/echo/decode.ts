import { type Rejection, reject } from '../../domain/outcome.ts';

/** What a client's command brings, still foreign in its values. */
export type Fields = Readonly<Record<string, unknown>>;

/** The one argument of `subscribe`, `unsubscribe` and `send`: an object. */
export function decodeFields(argument: unknown): Fields | Rejection {
  return isRecord(argument) ? argument : reject('invalid_message', 'the argument must be an object');
}

/** Longer than any position of ours, in characters. */
const MAX_POSITION_LENGTH = 64;

/** `client event` takes its object as JSON text too, as laravel-echo-server did. */
export function decodeClientEvent(argument: unknown): Fields | Rejection {
  if (typeof argument !== 'string') return decodeFields(argument);
  try {
    return decodeFields(JSON.parse(argument));
  } catch {
    return reject('invalid_message', 'the argument is no JSON');
  }
}

/**
 * JSON text of a value that came through Socket.IO's parser; what JSON cannot say (undefined, binary) is null.
 * JSON.parse takes any depth, JSON.stringify ends with the stack: a stranger's depth is no fault of ours to log.
 */
export function toJsonText(value: unknown): string | Rejection {
  try {
    return JSON.stringify(value, (_key, v: unknown) => (v instanceof Uint8Array ? null : v)) ?? 'null';
  } catch (error) {
    if (error instanceof RangeError) return reject('invalid_message', 'data is nested too deeply');
    throw error;
  }
}

export function isRecord(value: unknown): value is Fields {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

/**
 * How far a client is that keeps a position for each of its channels: null where it has none on this one, undefined
 * where it keeps none, so that the one of its connection counts.
 */
export function decodeSince(fields: Fields): string | null | undefined {
  if (!Object.hasOwn(fields, 'since')) return undefined;
  const { since } = fields;
  // What makes no sense is told as a gap, and is not kept: a stranger's text may be long.
  return typeof since === 'string' && since !== '' ? since.slice(0, MAX_POSITION_LENGTH) : null;
}

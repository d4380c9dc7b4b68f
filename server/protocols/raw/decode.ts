import { jsonMembers } from '../../domain/json-text.ts';
import { type Rejection, reject } from '../../domain/outcome.ts';

/** `{data: hash}` and the optional `id` that the answer gives back (protocol.md section 3). */
export interface RawMessage {
  readonly ok: true;
  /** JSON text, byte for byte. */
  readonly dataText: string;
  /** JSON text of a string or number, or undefined. */
  readonly idJson: string | undefined;
}

/** A refused frame whose `id` could still be read, so that the client knows which one it was. */
export type RawRefusal = Rejection & { readonly idJson: string | undefined };

/** Longest `id` given back, in characters: a stranger's frame must not be echoed whole. */
const MAX_ID_LENGTH = 200;

export function decodeRawFrame(text: string): RawMessage | RawRefusal {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return refuse('a frame must be JSON', undefined);
  }
  if (!isRecord(parsed)) return refuse('a frame must be a JSON object', undefined);
  const values = new Map(jsonMembers(text).map((m) => [m.key, text.slice(m.valueStart, m.valueEnd)]));
  const id = Object.hasOwn(parsed, 'id') ? parsed.id : undefined;
  const idJson = typeof id === 'string' || typeof id === 'number' ? values.get('id') : undefined;
  if (id !== undefined && idJson === undefined) return refuse('id must be a string or a number', undefined);
  if (idJson !== undefined && idJson.length > MAX_ID_LENGTH) return refuse('id is too long', undefined);
  if (!Object.hasOwn(parsed, 'data') || !isRecord(parsed.data))
    return refuse('data must be an object', idJson);
  return { ok: true, dataText: values.get('data') ?? '{}', idJson };
}

function refuse(message: string, idJson: string | undefined): RawRefusal {
  return { ...reject('invalid_message', message), idJson };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

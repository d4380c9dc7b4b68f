import { type Rejection, reject } from '../domain/outcome.ts';
import type { Parts } from './parts.ts';

/** Why a payload of a client's is not published, or null. Later, when each node dropped it, nobody would be told. */
export function sizeRefusal({ settings }: Pick<Parts, 'settings'>, payload: string): Rejection | null {
  const { maxEventBytes } = settings;
  // A character has three bytes at most: most payloads need not be measured.
  if (payload.length * 3 <= maxEventBytes || Buffer.byteLength(payload) <= maxEventBytes) return null;
  return reject('too_large', `an event may have ${maxEventBytes} bytes`);
}

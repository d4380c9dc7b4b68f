import { randomBytes } from 'node:crypto';

const FORM = /^\d{1,20}\.\d{1,20}$/;

/**
 * A new id of the form `digits.digits`, the only one that Laravel's pusher and reverb drivers accept (protocol.md
 * section 3). 128 random bits: for Engine.IO 3 clients it is the session's secret too, so it must not be guessed.
 */
export function createSocketId(): string {
  const bytes = randomBytes(16);
  return `${bytes.readBigUInt64BE(0)}.${bytes.readBigUInt64BE(8)}`;
}

/** @param value foreign input */
export function isSocketId(value: unknown): value is string {
  return typeof value === 'string' && FORM.test(value);
}

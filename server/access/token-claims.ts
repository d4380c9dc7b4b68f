import { parseBaseName, type ReservedNames } from '../domain/channel-name.ts';
import { isRejection, type Rejection, reject } from '../domain/outcome.ts';

/** What a verified token says (protocol.md section 2). */
export interface TokenClaims {
  /** User id, above 0: 0 is the system user. */
  readonly id: number;
  readonly name: string;
  /** Base name of the one channel that it opens. */
  readonly channel: string;
  /** `iat` and `exp`, without tolerance, in milliseconds since 1970. */
  readonly iatMs: number;
  readonly expiresAtMs: number;
}

export const REQUIRED_CLAIMS = ['id', 'name', 'channel', 'iat', 'exp'];

/**
 * The verdict on the claims of a token whose signature is good.
 * @param toleranceMs how far clocks may differ
 * @returns the claims, or `token_invalid`, `token_expired`, `invalid_channel` with the claim named
 */
export function checkClaims(
  payload: Readonly<Record<string, unknown>>,
  reserved: ReservedNames,
  nowMs: number,
  toleranceMs: number,
): TokenClaims | Rejection {
  const { id, name } = payload;
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id <= 0)
    return badClaim('id', 'must be an integer above 0');
  if (typeof name !== 'string') return badClaim('name', 'must be a string');
  if (typeof payload.channel !== 'string') return badClaim('channel', 'must be a string');
  const iatMs = instantMs(payload.iat);
  if (iatMs === null) return badClaim('iat', 'must be a number of seconds');
  const expiresAtMs = instantMs(payload.exp);
  if (expiresAtMs === null) return badClaim('exp', 'must be a number of seconds');
  // jose looks at `iat` only where an age is limited: a token from the future would pass.
  if (iatMs > nowMs + toleranceMs) return badClaim('iat', 'lies in the future');
  // jose counts in whole seconds: without this a token could be let in when its membership has already ended.
  if (expiresAtMs + toleranceMs <= nowMs) return expired();
  const channel = parseBaseName(payload.channel, reserved);
  if (isRejection(channel)) return reject(channel.code, `claim "channel": ${channel.message}`);
  return { id, name, channel, iatMs, expiresAtMs };
}

export function badClaim(claim: string, fault: string): Rejection {
  return reject('token_invalid', `claim "${claim}" ${fault}`);
}

export function expired(): Rejection {
  return reject('token_expired', 'claim "exp" is over');
}

/** Seconds, whole or not, as milliseconds; null for anything that no clock can show (`1e999` among it). */
function instantMs(seconds: unknown): number | null {
  if (typeof seconds !== 'number') return null;
  const ms = Math.round(seconds * 1000);
  return Number.isSafeInteger(ms) ? ms : null;
}

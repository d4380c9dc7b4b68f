import type { Subscription } from '../connection/subscription.ts';
import { type Rejection, reject } from '../domain/outcome.ts';
import type { Grant } from '../domain/subscription.ts';
import { expireMembership } from './expire-membership.ts';
import type { Parts } from './parts.ts';

/**
 * Whether a repeated subscribe needs no new decision (protocol.md section 6: answered, not doubled). One that
 * brings a token does: it may extend the membership or change its right. On a public subscription a token may also
 * stand in a header; a public name costs no question to Laravel where it does not.
 */
export function standsFor(existing: Subscription, auth: unknown): boolean {
  if (typeof auth !== 'object' || auth === null) return true;
  if (Object.hasOwn(auth, 'token')) return false;
  return existing.by === 'laravel' || (existing.by === 'public' && !Object.hasOwn(auth, 'headers'));
}

/**
 * A second subscribe with a newer token (protocol.md section 2): the same user's extends the membership, another
 * user's is 403 and the old one stays.
 * @returns null where the existing subscription stands on another right and must give way, or has ended meanwhile
 */
export function renewToken(
  parts: Parts,
  existing: Subscription,
  grant: Grant,
): { readonly ok: true } | Rejection | null {
  // Its token may have expired while the newer one was looked at: what has ended cannot be extended, only joined anew.
  if (existing.connection.subscriptions.get(existing.wire) !== existing) return null;
  if (existing.by !== 'token') return grant.by === 'token' ? null : { ok: true };
  if (grant.by !== 'token') return { ok: true };
  if (grant.user === null || String(JSON.parse(grant.user.userIdJson)) !== existing.member?.userId) {
    return reject('forbidden', 'the token is of another user');
  }
  // An older token must not shorten what a newer one gave: subscribes can come in any order.
  if (
    existing.expiresAtMs === null ||
    (grant.expiresAtMs !== null && grant.expiresAtMs <= existing.expiresAtMs)
  ) {
    return { ok: true };
  }
  existing.expiresAtMs = grant.expiresAtMs;
  existing.expiry.set(grant.expiresAtMs, () => expireMembership(parts, existing));
  return { ok: true };
}

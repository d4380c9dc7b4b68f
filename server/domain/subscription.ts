import type { ChannelName } from './channel-name.ts';

/**
 * By which right a subscription exists; decides what it hears (protocol.md section 1, the table).
 *
 * | kind | Laravel events | room messages | member list |
 * |---|---|---|---|
 * | public | on X | no | no |
 * | token | on X, save `message` | yes | yes |
 * | private | on private-X | yes | no |
 * | presence | on presence-X | yes | yes |
 * | encrypted | on private-encrypted-X | no | no |
 */
export type SubscriptionKind = 'public' | 'token' | 'private' | 'presence' | 'encrypted';

/** What an access decided: the right to subscribe, and as whom. */
export interface Grant {
  readonly ok: true;
  readonly kind: SubscriptionKind;
  readonly channel: ChannelName;
  /** Who subscribes, as JSON texts; null where Laravel named nobody (private) or nobody was asked (public). */
  readonly user: { readonly userIdJson: string; readonly userInfoJson?: string } | null;
  /** What the grant stands on: a JWT opens sends and has an end. */
  readonly by: 'token' | 'laravel' | 'public';
  /** When the right ends, as milliseconds since 1970; null: never. */
  readonly expiresAtMs: number | null;
}

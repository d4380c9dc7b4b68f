import type { Subscription } from '../connection/subscription.ts';
import { catalogue } from '../domain/catalogue.ts';
import { leaveChannel } from './leave-channel.ts';
import type { Parts } from './parts.ts';

/** A membership ends with its token (protocol.md section 2): out of everything first, then told. */
export function expireMembership(parts: Parts, subscription: Subscription): void {
  const { connection, wire } = subscription;
  parts.meters.refused('token_expired');
  // With a newer token he may be back in a moment.
  const left = leaveChannel(parts, subscription, { linger: true });
  const { status } = catalogue.token_expired;
  connection.revoked(wire, { code: 'token_expired', status, message: 'the token has expired' });
  left.catch((error: unknown) =>
    parts.log.error({ err: error, connection: connection.id, wire }, 'leaving failed'),
  );
}

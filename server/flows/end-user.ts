import { AT_ONCE } from '../broker/roster/roster.ts';
import type { Subscription } from '../connection/subscription.ts';
import { catalogue } from '../domain/catalogue.ts';
import { reject } from '../domain/outcome.ts';
import { leaveAll } from './drop-connection.ts';
import { leaveChannel } from './leave-channel.ts';
import type { Parts } from './parts.ts';

/** Whose connections the application ends, or only his subscriptions of one channel. */
export interface EndUser {
  readonly userId: string;
  /** A wire name, or null: his whole connections. */
  readonly wire: string | null;
}

const MESSAGE = 'ended by the application';

/**
 * The application ends a user on this node, whatever protocol he speaks. A connection is his if it has proved so,
 * by a JWT or by what Laravel said of a presence channel; a private channel's plain yes names nobody.
 * @returns how many connections or subscriptions were ended
 */
export function endUser(parts: Parts, { userId, wire }: EndUser): number {
  let ended = 0;
  for (const connection of [...parts.connections]) {
    const all = [...connection.subscriptions.values(), ...connection.arriving.values()];
    const own = all.filter((subscription) => subscription.userId === userId);
    if (wire === null && own.length > 0) {
      ended++;
      connection.end({ code: 'ended', message: MESSAGE });
      // Before its transport has ended, which could as well be a page that reloads: he does not linger.
      void leaveAll(parts, connection, AT_ONCE);
    }
    for (const subscription of own) {
      if (subscription.wire !== wire) continue;
      ended++;
      endSubscription(parts, subscription);
    }
  }
  return ended;
}

function endSubscription(parts: Parts, subscription: Subscription): void {
  const { connection, wire } = subscription;
  // It is given what it missed and is not live yet: its subscribe is refused.
  if (connection.arriving.get(wire) === subscription)
    return connection.cancelAttempt(wire, reject('ended', MESSAGE));
  parts.meters.refused('ended');
  const left = leaveChannel(parts, subscription, AT_ONCE);
  connection.revoked(wire, { code: 'ended', status: catalogue.ended.status, message: MESSAGE });
  left.catch((error: unknown) =>
    parts.log.error({ err: error, connection: connection.id, wire }, 'leaving failed'),
  );
}

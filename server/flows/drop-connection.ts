import type { Leaving } from '../broker/roster/roster.ts';
import type { Connection } from '../connection/connection.ts';
import type { Closure } from '../domain/outcome.ts';
import { leaveChannel } from './leave-channel.ts';
import type { Parts } from './parts.ts';

/**
 * A client has come: counted, and findable for a drain. Should it be ended by us, that is counted too.
 * @param refusal why the door has no place for it, or null
 * @returns false where there is none, or this node drains: the client has been told and is not taken
 */
export function takeConnection(parts: Parts, connection: Connection, refusal: Closure | null): boolean {
  connection.onEnd(({ code }) => {
    parts.meters.refused(code);
    parts.laravel.ended(connection, code);
    parts.log.debug({ connection: connection.id, code }, 'ended a connection');
  });
  const no = refusal ?? parts.connections.refusal();
  if (no !== null) {
    connection.end(no);
    return false;
  }
  parts.connections.add(connection);
  parts.meters.connectionOpened(connection.protocol.name);
  return true;
}

/**
 * A connection's transport has ended, for whatever reason: its attempts are cancelled and its subscriptions left.
 * The transport is gone first, the slower cleanup after, since the client may already be coming back.
 */
export async function dropConnection(parts: Parts, connection: Connection): Promise<void> {
  if (connection.closed) return;
  connection.markClosed();
  parts.connections.remove(connection);
  parts.meters.connectionClosed(connection.protocol.name);
  // Where neither he nor the application said that he leaves, a page may be reloading.
  await leaveAll(parts, connection, { linger: connection.closure?.code !== 'ended' });
}

/** Leaves every channel of a connection. Never rejects. */
export async function leaveAll(parts: Parts, connection: Connection, how: Leaving): Promise<void> {
  const left = await Promise.allSettled(
    [...connection.subscriptions.values()].map((s) => leaveChannel(parts, s, how)),
  );
  for (const result of left) {
    if (result.status === 'rejected')
      parts.log.error({ err: result.reason, connection: connection.id }, 'leaving failed');
  }
}

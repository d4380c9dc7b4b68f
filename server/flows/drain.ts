import { leaveAll } from './drop-connection.ts';
import type { Parts } from './parts.ts';

const POLL_MS = 20;

/**
 * The server stops: newcomers are refused, every client is told to come back elsewhere, members leave.
 * Resolves when all connections are gone or the deadline is over.
 * @param deadlineMs milliseconds from now
 */
export async function drain(parts: Parts, deadlineMs: number): Promise<void> {
  parts.connections.drain();
  const endsAtMs = Date.now() + deadlineMs;
  for (const connection of [...parts.connections]) {
    connection.end({ code: 'restarting', message: 'this server restarts: reconnect' });
    // Not when its transport has ended: a client that no longer reads would be shown until the deadline.
    void leaveAll(parts, connection, { linger: true });
  }
  while (parts.connections.size > 0 && Date.now() < endsAtMs) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

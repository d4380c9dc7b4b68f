import type { Parts } from './parts.ts';

const POLL_MS = 20;

/**
 * The server stops: newcomers are refused, members leave, every client is told to come back elsewhere.
 * Resolves when all connections are gone or the deadline is over.
 * @param deadlineMs milliseconds from now
 */
export async function drain(parts: Parts, deadlineMs: number): Promise<void> {
  parts.connections.drain();
  const endsAtMs = Date.now() + deadlineMs;
  for (const connection of [...parts.connections]) {
    connection.end({ code: 'restarting', message: 'this server restarts: reconnect' });
  }
  while (parts.connections.size > 0 && Date.now() < endsAtMs) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

import type { Connection } from '../connection/connection.ts';
import { leaveAll } from './drop-connection.ts';
import type { Parts } from './parts.ts';

const POLL_MS = 20;

/** Clients told at once, at least: where they are few, all of them are (protocol.md section 10). */
const MIN_BATCH = 100;
/** Mean pause between two batches; jittered by half, so that several nodes do not tell theirs in step. */
const BATCH_PAUSE_MS = 100;
/** Part of the deadline in which the last client has been told; the rest is for their goodbyes. */
const TELLING_SHARE = 0.6;

/**
 * The server stops: newcomers are refused, every client is told to come back elsewhere, members leave. Many clients
 * are told in batches, in random order, or they would all come back to the other nodes in the same moment.
 * Resolves when all connections are gone or the deadline is over.
 * @param deadlineMs milliseconds from now
 */
export async function drain(parts: Parts, deadlineMs: number): Promise<void> {
  parts.connections.drain();
  const endsAtMs = Date.now() + deadlineMs;
  const waiting = shuffled([...parts.connections]);
  const batches = Math.max(1, Math.floor((deadlineMs * TELLING_SHARE) / BATCH_PAUSE_MS));
  const size = Math.max(MIN_BATCH, Math.ceil(waiting.length / batches));
  while (waiting.length > 0) {
    for (const connection of waiting.splice(0, size)) tell(parts, connection);
    if (waiting.length > 0) await pause(BATCH_PAUSE_MS * (0.5 + Math.random()));
  }
  while (parts.connections.size > 0 && Date.now() < endsAtMs) await pause(POLL_MS);
}

function tell(parts: Parts, connection: Connection): void {
  connection.end({ code: 'restarting', message: 'this server restarts: reconnect' });
  // Not when its transport has ended: a client that no longer reads would be shown until the deadline.
  void leaveAll(parts, connection, { linger: true });
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

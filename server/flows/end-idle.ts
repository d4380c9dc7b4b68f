import type { Connections } from '../connection/connections.ts';

/** How late the end may be, as a part of the time; and how often to look at most, in milliseconds. */
const LOOKS = 10;
const MIN_LOOK_MS = 20;
const MAX_LOOK_MS = 30_000;

/**
 * Ends connections that have no channel so long after they came: they cost memory, and nobody hears anything by them.
 * One timer for all, since one for each would cost every connection something.
 * @param firstSubscribeMs 0: never
 * @returns how to stop it
 */
export function endIdle(connections: Connections, firstSubscribeMs: number): () => void {
  if (firstSubscribeMs === 0) return () => {};
  const lookMs = Math.min(MAX_LOOK_MS, Math.max(MIN_LOOK_MS, firstSubscribeMs / LOOKS));
  const timer = setInterval(() => {
    const cameBeforeMs = Date.now() - firstSubscribeMs;
    for (const connection of connections) {
      if (connection.openedAtMs > cameBeforeMs || connection.channelCount > 0 || connection.ending) continue;
      connection.end({ code: 'timed_out', message: 'no channel was subscribed to' });
    }
  }, lookMs);
  timer.unref();
  return () => clearInterval(timer);
}

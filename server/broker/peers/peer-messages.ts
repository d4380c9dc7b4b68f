/** The only kind of message of @socket.io/redis-adapter that our nodes send each other: its `SERVER_SIDE_EMIT`. */
const QUESTION = 6;
/** What the names of all our questions begin with; without it `error` and `connection` could be caused. */
const EVENT_PREFIX = 'yamabiko:';

/**
 * Whether a message on the adapter's channels is one of ours, a question or an answer. The adapter trusts whatever
 * it reads there: some of it would end the process by an unhandled rejection, some would end all clients.
 */
export function isPeerMessage(message: Buffer): boolean {
  const { type, requestId, uid, data } = fieldsOf(message);
  if (type !== QUESTION || typeof requestId !== 'string') return false;
  // An answer names no node.
  if (uid === undefined) return true;
  return (
    typeof uid === 'string' &&
    Array.isArray(data) &&
    typeof data[0] === 'string' &&
    data[0].startsWith(EVENT_PREFIX)
  );
}

function fieldsOf(message: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(message.toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

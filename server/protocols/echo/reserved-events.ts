/** Socket.IO's own names: a client that is sent one of them takes it for something that happened to its socket. */
const SOCKET_IO = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
]);

/** Whether this protocol cannot carry an event of that name (protocol.md section 5). */
export function isReservedEvent(event: string): boolean {
  return SOCKET_IO.has(event) || event.startsWith('presence:') || event.startsWith('subscription_');
}

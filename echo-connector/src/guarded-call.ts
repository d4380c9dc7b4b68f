/**
 * Calls what the page handed us. What it throws must not keep the other callbacks from their event, nor the
 * connection from its position (socket.io-client keeps the old one when a handler throws, and the server then
 * sends everything again). It still reaches `window.onerror` or Node's `uncaughtException`, as from any event.
 */
export function guardedCall<Args extends unknown[]>(callback: (...args: Args) => void, ...args: Args): void {
  try {
    callback(...args);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

import type { WebSocket } from 'ws';

/** Ends a WebSocket whose client no longer answers pings: a cut that no side was told of. */
export function keepAlive(webSocket: WebSocket, intervalMs: number, timeoutMs: number): void {
  let timeout: NodeJS.Timeout | null = null;
  const interval = setInterval(() => {
    webSocket.ping();
    timeout ??= setTimeout(() => webSocket.terminate(), timeoutMs);
  }, intervalMs);
  webSocket.on('pong', () => {
    if (timeout !== null) clearTimeout(timeout);
    timeout = null;
  });
  webSocket.once('close', () => {
    clearInterval(interval);
    if (timeout !== null) clearTimeout(timeout);
  });
}

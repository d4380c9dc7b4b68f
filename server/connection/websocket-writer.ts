import type { Corkable, TickCork } from './tick-cork.ts';

/**
 * The one place that touches inner members of `ws` (pinned in package.json, held by
 * test/unit/connection/websocket-writer.test.ts): a prepared frame goes to the socket as it is, without the
 * header, options and list that `ws.send` makes for every receiver.
 */
interface WebSocketInternals {
  readonly readyState: number;
  readonly _socket: (Corkable & { write(bytes: Buffer): boolean }) | null;
}

const OPEN = 1;

/**
 * @param webSocket a `ws` WebSocket with compression off (with it on, frames would overtake those being deflated)
 * @returns false where the socket is no longer open
 */
export function writeWebSocketFrame(webSocket: object, frame: Buffer, tickCork: TickCork): boolean {
  const { readyState, _socket } = webSocket as WebSocketInternals;
  if (readyState !== OPEN || _socket === null) return false;
  tickCork.cork(_socket);
  _socket.write(frame);
  return true;
}

/** Sends what this turn has gathered for it. */
export function flushWebSocket(webSocket: object, tickCork: TickCork): void {
  const { _socket } = webSocket as WebSocketInternals;
  if (_socket !== null) tickCork.flush(_socket);
}

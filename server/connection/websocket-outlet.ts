import type { FrameRun } from './frame-run.ts';
import type { Corkable, Gatherer, TickCork } from './tick-cork.ts';

/**
 * The one place that touches inner members of `ws` (pinned in package.json, held by
 * test/unit/connection/websocket-outlet.test.ts): prepared frames go to the socket as they are, without the header,
 * options and list that `ws.send` makes for every receiver.
 */
interface WebSocketInternals {
  readonly readyState: number;
  readonly bufferedAmount: number;
  readonly _socket: (Corkable & { write(bytes: Buffer): boolean }) | null;
}

const OPEN = 1;
/** More is not gathered: who reads on would be taken for slow while his frames wait here, and much would be copied at once. */
const MAX_RUN_BYTES = 65_536;

/**
 * Gathers what one client is sent in a turn of the event loop. Whoever writes to the WebSocket by another way MUST have
 * it make way before, or what was gathered would come behind.
 */
export class WebSocketOutlet implements Gatherer {
  readonly #tickCork: TickCork;
  #webSocket: WebSocketInternals | null = null;
  #run: FrameRun | null = null;
  /** What had not left when the run began, in bytes. */
  #waitingBytes = 0;

  constructor(tickCork: TickCork) {
    this.#tickCork = tickCork;
  }

  /** Whether something of this turn waits here. */
  get gathers(): boolean {
    return this.#run !== null;
  }

  /** While it gathers: all that has not left yet. */
  get bytes(): number {
    return this.#run === null ? 0 : this.#waitingBytes + this.#run.bytes;
  }

  /**
   * @param webSocket a `ws` WebSocket with compression off (with it on, frames would overtake those being deflated); the
   *   same as long as it gathers. Nothing happens on one that is no longer open
   */
  write(webSocket: object, frame: Buffer): void {
    if (this.#run === null) this.#begin(webSocket as WebSocketInternals, frame);
    else this.add(frame);
  }

  /** The next frame, while it gathers. */
  add(frame: Buffer): void {
    if (this.#run === null) return;
    this.#run = this.#run.followedBy(frame);
    if (this.#run.bytes > MAX_RUN_BYTES) this.flush();
  }

  /** Somebody else is about to write to this WebSocket. */
  makeWay(): void {
    const socket = this.#webSocket?._socket;
    if (this.#run === null || !socket) return;
    this.#tickCork.cork(socket);
    this.#send();
  }

  /** Sends at once what this turn has gathered. */
  flush(): void {
    const socket = this.#webSocket?._socket;
    this.#send();
    if (socket) this.#tickCork.flush(socket);
  }

  endTurn(): void {
    this.#send();
  }

  #begin(webSocket: WebSocketInternals, frame: Buffer): void {
    if (webSocket.readyState !== OPEN) return;
    this.#webSocket = webSocket;
    this.#waitingBytes = webSocket.bufferedAmount;
    this.#run = this.#tickCork.begin(this, frame);
    if (frame.length > MAX_RUN_BYTES) this.flush();
  }

  #send(): void {
    const run = this.#run;
    const webSocket = this.#webSocket;
    this.#run = null;
    // A client that closes is sent nothing behind the close frame.
    if (run !== null && webSocket?.readyState === OPEN) webSocket._socket?.write(run.joined());
  }
}

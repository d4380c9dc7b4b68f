import type { WebSocket } from 'ws';
import type { TickCork } from '../../connection/tick-cork.ts';
import type { Transport } from '../../connection/transport.ts';
import { WebSocketOutlet } from '../../connection/websocket-outlet.ts';
import { catalogue } from '../../domain/catalogue.ts';
import type { Frame } from '../../domain/frame.ts';
import type { Closure, Revocation } from '../../domain/outcome.ts';
import { encodeError } from './encode.ts';

/** How long a client has to answer the closing handshake before its socket is destroyed. */
const CLOSE_TIMEOUT_MS = 2000;

/** One raw client's WebSocket. */
export class RawTransport implements Transport {
  readonly #webSocket: WebSocket;
  readonly #outlet: WebSocketOutlet;

  constructor(webSocket: WebSocket, tickCork: TickCork) {
    this.#webSocket = webSocket;
    this.#outlet = new WebSocketOutlet(tickCork);
  }

  write(frame: Frame): void {
    this.#outlet.write(this.#webSocket, frame.webSocketFrame);
  }

  bufferedBytes(): number {
    return this.#outlet.gathers ? this.#outlet.bytes : this.#webSocket.bufferedAmount;
  }

  flush(): void {
    this.#outlet.flush();
  }

  /** One connection, one channel: without its subscription there is nothing left to be connected for. */
  revoked(_wire: string, revocation: Revocation): void {
    this.#end(revocation, catalogue[revocation.code].close ?? catalogue.forbidden.close);
  }

  close(closure: Closure): void {
    this.#end(closure, catalogue[closure.code].close);
  }

  #end(why: Closure | Revocation, closeCode: number): void {
    this.write(encodeError(why));
    this.#outlet.makeWay();
    this.#webSocket.close(closeCode, why.code);
    setTimeout(() => this.#webSocket.terminate(), CLOSE_TIMEOUT_MS).unref();
  }
}

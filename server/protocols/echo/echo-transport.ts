import type { Socket } from 'socket.io';
import type { TickCork } from '../../connection/tick-cork.ts';
import type { Transport } from '../../connection/transport.ts';
import { WebSocketOutlet } from '../../connection/websocket-outlet.ts';
import { type ClosureCode, catalogue } from '../../domain/catalogue.ts';
import type { Frame } from '../../domain/frame.ts';
import type { Closure, Revocation } from '../../domain/outcome.ts';
import { encodeClosed, encodeSubscriptionError } from './encode.ts';

/** Inner members of Engine.IO that are used here; pinned in package.json and held by the stories on every client. */
interface EngineInternals {
  readonly readyState: string;
  readonly upgrading: boolean;
  readonly writeBuffer: readonly unknown[];
  readonly transport: { readonly name: string; readonly socket?: object };
  write(text: string, options: object): void;
  close(discard?: boolean): void;
  on(event: 'flush' | 'packetCreate', listener: () => void): void;
}

interface EchoTransportParts {
  readonly tickCork: TickCork;
  /** What the client is subscribed to, to be told when it must not come back. */
  readonly wires: () => Iterable<string>;
  /** What of the answers to its polls has not gone out, in bytes. */
  readonly unreadBytes: () => number;
}

/** About what an ack takes in the queue, in bytes. */
const ANSWER_BYTES = 128;
/** Closures that say what the client has done; `too_slow` would stand behind what he does not read. */
const TOLD: readonly ClosureCode[] = ['rate_limited', 'limit_reached', 'timed_out'];
/** How long a slow reader's WebSocket has for its closing handshake. */
const CLOSE_TIMEOUT_MS = 2000;

/** One Socket.IO client, by WebSocket or polling. */
export class EchoTransport implements Transport {
  readonly #socket: Socket;
  readonly #engine: EngineInternals;
  readonly #outlet: WebSocketOutlet;
  readonly #wires: () => Iterable<string>;
  readonly #unreadBytes: () => number;
  #queuedBytes = 0;

  constructor(socket: Socket, { tickCork, wires, unreadBytes }: EchoTransportParts) {
    this.#socket = socket;
    this.#engine = socket.conn as unknown as EngineInternals;
    this.#outlet = new WebSocketOutlet(tickCork);
    this.#wires = wires;
    this.#unreadBytes = unreadBytes;
    // Whatever it is, an ack, a ping, a packet of ours behind another: it must not overtake what was gathered.
    this.#engine.on('packetCreate', () => this.#outlet.makeWay());
    this.#engine.on('flush', () => {
      this.#queuedBytes = 0;
    });
  }

  /**
   * The prepared frame goes straight to the WebSocket while Engine.IO's own queue is empty. Where something waits
   * there (an ack behind a write, an upgrade, a poll) it goes through that queue, or it would overtake.
   */
  write(frame: Frame): void {
    // As long as it gathers nothing else was written, since all else makes it make way.
    if (this.#outlet.gathers) return this.#outlet.add(frame.webSocketFrame);
    const { readyState, upgrading, writeBuffer, transport } = this.#engine;
    if (readyState !== 'open') return;
    if (transport.name === 'websocket' && !upgrading && writeBuffer.length === 0) {
      if (transport.socket !== undefined) this.#outlet.write(transport.socket, frame.webSocketFrame);
      return;
    }
    this.#queuedBytes += frame.text.length;
    this.#engine.write(frame.text, { wsPreEncodedFrame: [frame.webSocketFrame], compress: false });
  }

  /** What waits in Engine.IO's queue beside our frames are answers of ours, each about as long. */
  bufferedBytes(): number {
    if (this.#outlet.gathers) return this.#outlet.bytes;
    const { transport, writeBuffer } = this.#engine;
    const webSocket = transport.socket as { bufferedAmount?: number } | undefined;
    const sent = webSocket?.bufferedAmount ?? this.#unreadBytes();
    return this.#queuedBytes + writeBuffer.length * ANSWER_BYTES + sent;
  }

  flush(): void {
    this.#outlet.flush();
  }

  revoked(wire: string, { status }: Revocation): void {
    this.write(encodeSubscriptionError(wire, status));
  }

  /**
   * Socket.IO has no close code. After the server's `disconnect` a client never returns by itself; closing the
   * Engine.IO connection lets it. So: close the engine if it shall return; tell it, then disconnect, if not.
   */
  close(closure: Closure): void {
    const { code } = closure;
    if (TOLD.includes(code)) this.write(encodeClosed(closure));
    if (catalogue[code].advice === 'later') {
      this.#outlet.makeWay();
      this.#engine.close(code === 'too_slow');
      // A slow reader's queue is not waited for: its goodbye stands behind a full outbox.
      if (code === 'too_slow') this.#terminateSoon();
      return;
    }
    for (const wire of this.#wires()) this.write(encodeSubscriptionError(wire, catalogue[code].status));
    this.#socket.disconnect(true);
  }

  #terminateSoon(): void {
    const webSocket = this.#engine.transport.socket as { terminate?: () => void } | undefined;
    setTimeout(() => webSocket?.terminate?.(), CLOSE_TIMEOUT_MS).unref();
  }
}

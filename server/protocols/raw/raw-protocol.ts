import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Doors } from '../../flows/doors.ts';
import type { Parts } from '../../flows/parts.ts';
import { acceptRawClient, type RawSettings } from './raw-session.ts';

/** The seed's WebSocket protocol (protocol.md section 3): one connection, one channel, authorised by its JWT. */
export class RawProtocol {
  readonly name = 'raw';
  readonly #parts: Parts;
  readonly #settings: RawSettings;
  readonly #doors: Pick<Doors, 'admit' | 'handshakeOf' | 'tickCork'>;
  readonly #webSockets: WebSocketServer;

  constructor(parts: Parts, settings: RawSettings, doors: Pick<Doors, 'admit' | 'handshakeOf' | 'tickCork'>) {
    this.#parts = parts;
    this.#settings = settings;
    this.#doors = doors;
    this.#webSockets = new WebSocketServer({
      noServer: true,
      autoPong: false,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: settings.maxFrameBytes,
    });
  }

  matches(pathname: string): boolean {
    return this.#settings.paths.includes(pathname);
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const admission = this.#doors.admit(request);
      const handshake = this.#doors.handshakeOf(request);
      acceptRawClient(this.#parts, this.#settings, {
        webSocket,
        request,
        admission,
        handshake,
        tickCork: this.#doors.tickCork,
      });
    });
  }
}

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Handshake } from '../../access/access.ts';
import type { TickCork } from '../../connection/tick-cork.ts';
import type { Broadcast } from '../../domain/broadcast.ts';
import type { Audience, Protocol } from '../../domain/protocol.ts';
import type { Parts } from '../../flows/parts.ts';
import { encodeMessage, encodePresence } from './encode.ts';
import { acceptRawClient, type RawSettings } from './raw-session.ts';

/** What the raw protocol needs besides the parts. */
export interface RawDoors {
  readonly addressOf: (request: IncomingMessage) => string;
  readonly tickCork: TickCork;
}

/** The seed's WebSocket protocol (protocol.md section 3): one connection, one channel, authorised by its JWT. */
export class RawProtocol implements Protocol {
  readonly name = 'raw';
  readonly #parts: Parts;
  readonly #settings: RawSettings;
  readonly #doors: RawDoors;
  readonly #webSockets: WebSocketServer;

  constructor(parts: Parts, settings: RawSettings, doors: RawDoors) {
    this.#parts = parts;
    this.#settings = settings;
    this.#doors = doors;
    this.#webSockets = new WebSocketServer({
      noServer: true,
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
      const handshake: Handshake = {
        address: this.#doors.addressOf(request),
        cookie: request.headers.cookie,
        userAgent: request.headers['user-agent'],
      };
      acceptRawClient(this, this.#parts, this.#settings, {
        webSocket,
        request,
        handshake,
        tickCork: this.#doors.tickCork,
      });
    });
  }

  /** Room messages and presence; a Laravel event has no frame in this protocol (section 1, the table). */
  deliver(audience: Audience, broadcast: Broadcast): void {
    switch (broadcast.type) {
      case 'message':
        audience.write(encodeMessage(broadcast.sender, broadcast.data));
        return;
      case 'joined':
      case 'left':
        audience.write(encodePresence(broadcast.type, broadcast.member));
        return;
      case 'event':
      case 'gap':
        return;
      default:
        broadcast satisfies never;
    }
  }
}

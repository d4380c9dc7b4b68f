import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Server as Engine } from 'engine.io';
import { Server } from 'socket.io';
import { WebSocketServer } from 'ws';
import type { ConnectionSettings } from '../../connection/connection.ts';
import type { Broadcast } from '../../domain/broadcast.ts';
import { catalogue } from '../../domain/catalogue.ts';
import type { Frame } from '../../domain/frame.ts';
import { type Closure, retryAfter } from '../../domain/outcome.ts';
import type { Audience, Protocol } from '../../domain/protocol.ts';
import { createSocketId } from '../../domain/socket-id.ts';
import type { Doors } from '../../flows/doors.ts';
import type { Parts } from '../../flows/parts.ts';
import { EchoDoor } from './door.ts';
import { acceptEchoClient } from './echo-session.ts';
import { encodeEvent, encodeGap, encodeMessage, encodePosition, encodePresence } from './encode.ts';
import { allowOneSocketEach, giveLaravelIds } from './laravel-ids.ts';
import { guardPackets } from './packet-guard.ts';
import { PollAnswers } from './poll-answers.ts';
import { isReservedEvent } from './reserved-events.ts';

export interface EchoSettings {
  /** Largest packet in, in bytes. */
  readonly maxFrameBytes: number;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  /** From Engine.IO's handshake to Socket.IO's CONNECT. */
  readonly handshakeTimeoutMs: number;
  readonly connection: ConnectionSettings;
}

/** Protected in its types, and used by its own attachments. */
interface EngineInternals {
  readonly clients: Readonly<Record<string, object>>;
}

/** Engine.IO's path: exactly this prefix. */
const SOCKET_IO_PATH = '/socket.io/';

/** Laravel Echo's Socket.IO protocol (protocol.md section 6), for socket.io-client 2, 3 and 4. */
export class EchoProtocol implements Protocol {
  readonly name = 'echo';
  readonly io: Server;
  readonly #engine: Engine;
  readonly #parts: Parts;
  readonly #doors: Doors;
  readonly #door: EchoDoor;
  readonly #answers = new PollAnswers();
  readonly #maxFrameBytes: number;

  constructor(parts: Parts, settings: EchoSettings, doors: Doors) {
    this.#parts = parts;
    this.#doors = doors;
    this.#maxFrameBytes = settings.maxFrameBytes;
    this.#door = new EchoDoor(doors, settings.handshakeTimeoutMs, () => parts.meters.refused('timed_out'));
    this.#engine = new Engine({
      allowEIO3: true,
      // Engine.IO reads queries in its own way: where it alone sees a handshake, the limits hold all the same.
      allowRequest: (request, decide) => decide(null, this.#newcomersRefusal(request) === null),
      httpCompression: false,
      maxHttpBufferSize: settings.maxFrameBytes,
      perMessageDeflate: false,
      pingInterval: settings.pingIntervalMs,
      pingTimeout: settings.pingTimeoutMs,
      // Ours bounds the pongs that wait for who does not read; the older one beneath Engine.IO does not.
      wsEngine: WebSocketServer,
    });
    this.#engine.on('connection', (session) => {
      this.#door.opened(session);
      guardPackets(session);
    });
    // For Engine.IO 3 clients this is the public id too, so it has the form that Laravel accepts; being the
    // session's secret it must not be guessed.
    this.#engine.generateId = createSocketId;
    this.io = new Server({ serveClient: false, connectTimeout: 2 * settings.handshakeTimeoutMs });
    this.io.bind(this.#engine);
    giveLaravelIds(this.io, parts.settings.history !== null);
    allowOneSocketEach(this.io);
    this.io.on('connection', (socket) => {
      this.#door.connected(socket.conn);
      const handshake = doors.handshakeOf(socket.request);
      acceptEchoClient(this, parts, {
        socket,
        handshake,
        tickCork: doors.tickCork,
        unreadBytes: () => this.#answers.unreadBytes(socket.conn),
        settings: settings.connection,
      });
    });
  }

  matches(pathname: string): boolean {
    return pathname.startsWith(SOCKET_IO_PATH);
  }

  /**
   * Asked at a handshake alone: who has a session keeps it. Refused so, the client tries again, and a proxy may take
   * another node at once; after a middleware's no a client would not, and Engine.IO's own `allowRequest` says 403.
   */
  refusalOf(request: IncomingMessage): Closure | null {
    return hasSession(request) ? null : this.#newcomersRefusal(request);
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.once('close', () => this.#door.over(request));
    this.#engine.handleUpgrade(request as Parameters<Engine['handleUpgrade']>[0], socket, head);
  }

  /**
   * Polling. Headers stand on every answer, a refusal's too: caches must keep origins apart. The origin is asked at
   * every request, not at the first alone, which a stranger's page can make without one (JSONP).
   */
  handleRequest(request: IncomingMessage, response: ServerResponse): void {
    if (request.method === 'OPTIONS') {
      response.writeHead(204, this.#doors.preflightHeaders(request)).end();
      return;
    }
    for (const [name, value] of Object.entries(this.#doors.corsHeaders(request)))
      response.setHeader(name, value);
    if (!this.#doors.allowsOrigin(request)) return refuse(response, 403, 'Forbidden');
    const refusal = this.refusalOf(request);
    if (refusal !== null) return refuseNewcomer(response, refusal);
    response.once('close', () => this.#door.over(request));
    // Engine.IO itself answers such a body with no word of why, and only when it has come.
    if (Number(request.headers['content-length']) > this.#maxFrameBytes) {
      this.#parts.meters.refused('too_large');
      request.resume();
      return refuse(response, catalogue.too_large.status, 'too_large');
    }
    const session = this.#sessionOf(request);
    if (session !== undefined && request.method === 'GET') this.#answers.began(session, response);
    this.#engine.handleRequest(request as Parameters<Engine['handleRequest']>[0], response);
  }

  deliver(audience: Audience, broadcast: Broadcast, position: string | null): void {
    const { wire } = audience;
    switch (broadcast.type) {
      case 'event':
        if (isReservedEvent(broadcast.event)) return this.#drop(wire);
        audience.write(encodeEvent(broadcast.event, wire, broadcast.data, position));
        return;
      case 'message':
        audience.write(encodeMessage(wire, broadcast.sender, broadcast.data, position));
        return;
      case 'joined':
      case 'left':
        audience.write(encodePresence(wire, broadcast.type, broadcast.member, position));
        return;
      case 'gap':
        audience.write(encodeGap(wire, broadcast.reason, position));
        return;
      default:
        broadcast satisfies never;
    }
  }

  encodePosition(position: string): Frame {
    return encodePosition(position);
  }

  /** Ends what is left of Engine.IO; the drain has told the clients. */
  close(): void {
    this.#engine.close();
  }

  #sessionOf(request: IncomingMessage): object | undefined {
    const id = sessionIdOf(request);
    const { clients: sessions } = this.#engine as unknown as EngineInternals;
    return id !== null && Object.hasOwn(sessions, id) ? sessions[id] : undefined;
  }

  #newcomersRefusal(handshake: IncomingMessage): Closure | null {
    const refusal = this.#door.refusalOf(handshake);
    if (refusal !== null) this.#parts.meters.refused(refusal.code);
    return refusal;
  }

  #drop(wire: string): void {
    this.#parts.meters.dropped('echo', 'reserved_event');
    this.#parts.log.warn(
      { channel: wire, reason: 'reserved_event' },
      'dropped an event that Socket.IO cannot carry',
    );
  }
}

function hasSession(request: IncomingMessage): boolean {
  return Boolean(sessionIdOf(request));
}

function sessionIdOf({ url = '' }: IncomingMessage): string | null {
  return new URLSearchParams(url.split('?')[1]).get('sid');
}

function refuseNewcomer(response: ServerResponse, refusal: Closure): void {
  const when = retryAfter(refusal);
  if (when.retry_after !== undefined) response.setHeader('retry-after', when.retry_after);
  refuse(response, catalogue[refusal.code].status, refusal.code, when);
}

/** Spelled as by Engine.IO, with its number for "forbidden": it has none for ours. */
function refuse(response: ServerResponse, status: number, message: string, more: object = {}): void {
  const body = JSON.stringify({ code: 4, message, ...more });
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}

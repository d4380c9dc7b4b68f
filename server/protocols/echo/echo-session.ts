import type { Socket } from 'socket.io';
import type { Handshake } from '../../access/access.ts';
import { Connection, type ConnectionSettings } from '../../connection/connection.ts';
import type { TickCork } from '../../connection/tick-cork.ts';
import { parsePosition } from '../../domain/position.ts';
import type { Protocol } from '../../domain/protocol.ts';
import { dropConnection, takeConnection } from '../../flows/drop-connection.ts';
import { Homecoming } from '../../flows/homecoming.ts';
import type { Parts } from '../../flows/parts.ts';
import { receiveCommand } from './commands.ts';
import { EchoTransport } from './echo-transport.ts';
import { encodePosition, encodeRewind } from './encode.ts';
import { decodeRecoveryAuth } from './recovery-auth.ts';
import { RoundTrip } from './round-trip.ts';

interface EchoClient {
  readonly socket: Socket;
  readonly handshake: Handshake;
  readonly tickCork: TickCork;
  readonly settings: ConnectionSettings;
  /** What of the answers to its polls has not gone out, in bytes. */
  readonly unreadBytes: () => number;
}

/** One Socket.IO client from its CONNECT to its end. */
export function acceptEchoClient(protocol: Protocol, parts: Parts, client: EchoClient): void {
  const { socket, handshake, tickCork, settings, unreadBytes } = client;
  const { offset, oldSocketIds } = decodeRecoveryAuth(socket.handshake.auth);
  const wires = () => connection.subscriptions.keys();
  const connection: Connection = new Connection(
    protocol,
    new EchoTransport(socket, { tickCork, wires, unreadBytes }),
    settings,
    [socket.id, ...oldSocketIds],
  );
  if (!takeConnection(parts, connection, null)) return;
  const roundTrip = new RoundTrip(socket);
  const homecoming = new Homecoming(parts, connection, {
    offset: placeOf(parts, offset),
    heardOut: () => roundTrip.passed(),
    tellPlace: (position) => connection.write(encodePosition(position)),
    rewind: (wire, position) => connection.write(encodeRewind(wire, position)),
  });
  socket.once('disconnect', () => {
    void dropConnection(parts, connection);
    // A client can leave the namespace and keep the transport, which no bound would count.
    socket.conn.close();
  });
  // What answers itself (a ping of Engine.IO 3) is bounded by what waits, too.
  socket.conn.on('packet', () => connection.keepsUp());
  // Socket.IO emits `error` for what a client's packet did; without a listener it would be thrown.
  socket.on('error', (error) => parts.log.debug({ err: error, connection: connection.id }, 'socket error'));
  socket.onAny((event: string, ...args: unknown[]) =>
    receiveCommand(parts, { connection, handshake, homecoming }, event, args),
  );
}

/**
 * Where it comes back from. Without a history a client may still send something: whatever text an event ended in. Only
 * a position of ours is one to be answered then, by telling that nothing can be brought.
 */
function placeOf({ bus, settings }: Parts, offset: string | null): string | null {
  if (offset === null || settings.history === null) return null;
  return bus.position() !== null || parsePosition(offset) !== null ? offset : null;
}

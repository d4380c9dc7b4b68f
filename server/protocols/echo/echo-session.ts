import type { Socket } from 'socket.io';
import type { Handshake } from '../../access/access.ts';
import { Connection, type ConnectionSettings } from '../../connection/connection.ts';
import type { TickCork } from '../../connection/tick-cork.ts';
import type { Protocol } from '../../domain/protocol.ts';
import { dropConnection, takeConnection } from '../../flows/drop-connection.ts';
import type { Parts } from '../../flows/parts.ts';
import { receiveCommand } from './commands.ts';
import { EchoTransport } from './echo-transport.ts';

interface EchoClient {
  readonly socket: Socket;
  readonly handshake: Handshake;
  readonly tickCork: TickCork;
  readonly settings: ConnectionSettings;
}

/** One Socket.IO client from its CONNECT to its end. */
export function acceptEchoClient(protocol: Protocol, parts: Parts, client: EchoClient): void {
  const { socket, handshake, tickCork, settings } = client;
  const wires = () => connection.subscriptions.keys();
  const connection: Connection = new Connection(
    protocol,
    new EchoTransport(socket, tickCork, wires),
    settings,
    socket.id,
  );
  if (!takeConnection(parts, connection)) return;
  socket.once('disconnect', () => {
    void dropConnection(parts, connection);
    // A client can leave the namespace and keep the transport, which no bound would count.
    socket.conn.close();
  });
  // Socket.IO emits `error` for what a client's packet did; without a listener it would be thrown.
  socket.on('error', (error) => parts.log.debug({ err: error, connection: connection.id }, 'socket error'));
  socket.onAny((event: string, ...args: unknown[]) =>
    receiveCommand(parts, { connection, handshake }, event, args),
  );
}

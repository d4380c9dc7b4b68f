import type { Server, Socket } from 'socket.io';
import { createSocketId } from '../../domain/socket-id.ts';
import { decodeRecoveryAuth, encodePid } from './recovery-auth.ts';

interface ClientInternals {
  readonly conn: { close(discard: boolean): void };
}

interface NamespaceInternals {
  _createSocket(client: ClientInternals, auth: unknown): Promise<Socket>;
}

interface SocketInternals {
  id: string;
  /** Sent in the CONNECT packet; a client that has one sends it back with the last position that it was sent. */
  pid?: string;
}

/**
 * Ends a session whose client says CONNECT again before the first is through: Socket.IO would make a socket for each,
 * and each would have rates, queues and subscriptions of its own.
 */
export function allowOneSocketEach(io: Server): void {
  const namespace = io.of('/') as unknown as NamespaceInternals;
  const createSocket = namespace._createSocket.bind(namespace);
  const clients = new WeakSet<object>();
  namespace._createSocket = (client, auth) => {
    if (!clients.has(client)) {
      clients.add(client);
      return createSocket(client, auth);
    }
    client.conn.close(true);
    // Nobody catches what is thrown here, and the session is over: there is nothing to go on with.
    return new Promise(() => {});
  };
}

/**
 * Gives sockets of clients 3 and 4 an id of the form `digits.digits` before Socket.IO files them under their old
 * one; set later, that entry would leak. (Clients 2 take the Engine.IO id, see generateId.)
 *
 * @param recovers whether they shall bring back their position: then they are also given a `pid`, which carries the
 *   ids of the connections that this one continues. Socket.IO's own recovery is off; its client's half is all we need.
 */
export function giveLaravelIds(io: Server, recovers: boolean): void {
  const namespace = io.of('/') as unknown as NamespaceInternals;
  const createSocket = namespace._createSocket.bind(namespace);
  namespace._createSocket = async (client, auth) => {
    const socket = await createSocket(client, auth);
    const { protocol } = socket.conn as unknown as { protocol: number };
    if (protocol === 3) return socket;
    const given = socket as unknown as SocketInternals;
    given.id = createSocketId();
    if (recovers) given.pid = encodePid([given.id, ...decodeRecoveryAuth(auth).oldSocketIds]);
    return socket;
  };
}

import type { ClientSocket } from './socket-io.ts';

/** Inner members of engine.io-client 6.6. */
interface ClientTransport {
  readonly ws?: { send(packet: string): void };
  doWrite(payload: string, done: () => void): void;
}

interface Piece {
  readonly go: () => void;
  /** As if it had gone. */
  readonly done: () => void;
}

/** Between the packets of one request by polling. */
const SEPARATOR = '\x1e';
const CLOSE = '1';

/**
 * The way from a client to the server, on which the rest of what the client sends in one turn stays behind its first,
 * as on a bad network.
 */
export class Uplink {
  readonly #held: Piece[] = [];
  #state: 'before' | 'holding' | 'open' | 'losing' = 'before';

  /**
   * Of the transport that is open now.
   * @param last what the last packet that gets through begins with
   */
  static of(socket: ClientSocket, last: string): Uplink {
    const uplink = new Uplink();
    const { transport } = socket.io.engine as unknown as { transport: ClientTransport };
    const { ws } = transport;
    if (ws !== undefined) {
      const send = ws.send.bind(ws);
      ws.send = (packet) => {
        uplink.#take({ go: () => send(packet), done: () => {} });
        uplink.#hold(packet.startsWith(last));
      };
      return uplink;
    }
    const write = transport.doWrite.bind(transport);
    transport.doWrite = (payload, done) => {
      if (uplink.#state === 'losing' && payload === CLOSE) return write(payload, done);
      const packets = payload.split(SEPARATOR);
      const end = packets.findIndex((packet) => packet.startsWith(last)) + 1;
      const rest = packets.slice(end).join(SEPARATOR);
      if (uplink.#state !== 'before' || end === 0 || rest === '')
        uplink.#take({ go: () => write(payload, done), done });
      else
        write(packets.slice(0, end).join(SEPARATOR), () =>
          uplink.#take({ go: () => write(rest, done), done }),
        );
      uplink.#hold(end > 0);
    };
    return uplink;
  }

  /** Of the next connection. */
  static ofNext(socket: ClientSocket, last: string): Promise<Uplink> {
    const manager = socket.io as unknown as { once(event: 'open', listener: () => void): void };
    return new Promise((resolve) => {
      manager.once('open', () => resolve(Uplink.of(socket, last)));
    });
  }

  /** What was held goes on, unless it was lost. */
  release(): void {
    if (this.#state !== 'losing') this.#state = 'open';
    for (const { go } of this.#held.splice(0)) go();
  }

  /** What was held is lost, and whatever comes: the client is about to be cut. */
  lose(): void {
    this.#state = 'losing';
    for (const { done } of this.#held.splice(0)) setImmediate(done);
  }

  /** @param isLast whether nothing more gets through */
  #hold(isLast: boolean): void {
    if (isLast && this.#state === 'before') this.#state = 'holding';
  }

  #take(piece: Piece): void {
    if (this.#state === 'holding') this.#held.push(piece);
    else if (this.#state === 'losing') setImmediate(piece.done);
    else piece.go();
  }
}

/** What the packet of a page's command begins with. */
export function commandPacket(command: string): string {
  return `42["${command}"`;
}

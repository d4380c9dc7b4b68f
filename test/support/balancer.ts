import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';

/** What a request of a polling session that is open has in its first line. */
const SESSION = /^\S+ \S+[?&]sid=/;

/**
 * Stands between a client and the nodes, as a balancer does: the client keeps its URL, and where a new connection goes
 * is the test's to say.
 */
export class Balancer {
  /** Whether new sessions are let through; what is open goes on. */
  open = true;
  /** Where new sessions go; a polling session that is open stays where it is. */
  target: string;
  #home: string;
  readonly #server: Server = createServer((client) => this.#accept(client));
  readonly #sockets = new Set<Socket>();
  /** Who is told nothing any more of what the other end does. */
  readonly #frozen = new WeakSet<Socket>();

  private constructor(target: string) {
    this.target = target;
    this.#home = target;
  }

  /** @param target a node's URL, `http://127.0.0.1:1234` */
  static async start(target: string): Promise<Balancer> {
    const balancer = new Balancer(target);
    balancer.#server.listen(0, '127.0.0.1');
    await once(balancer.#server, 'listening');
    return balancer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Breaks all connections as a network does: neither side says anything. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** No byte goes through what is open now, for good, and nobody is told: as where a device sleeps. */
  freeze(): void {
    for (const socket of this.#sockets) {
      this.#frozen.add(socket);
      socket.unpipe();
      socket.pause();
    }
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    this.#keep(client);
    client.once('data', (first: Buffer) => {
      // By polling the farewell is a request of its own, which must still get to the node.
      const isNew = !SESSION.test(first.toString('latin1'));
      if (!this.open && isNew) return client.destroy();
      if (isNew) this.#home = this.target;
      const node = createConnection(Number(new URL(this.#home).port), '127.0.0.1');
      this.#keep(node);
      for (const [one, other] of [
        [client, node],
        [node, client],
      ] as const)
        one.once('close', () => this.#frozen.has(one) || other.destroy());
      node.write(first);
      client.pipe(node).pipe(client);
    });
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket
      .on('error', () => {
        // "close" follows.
      })
      .once('close', () => this.#sockets.delete(socket));
  }
}

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands where the Laravel app would: it says which path it was asked for, and by which scheme. */
export class LaravelPage {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<LaravelPage> {
    const server = createServer(({ url, headers }, response) => {
      response.end(`Laravel's ${headers['x-forwarded-proto']} ${url}`);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new LaravelPage(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

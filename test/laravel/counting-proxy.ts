import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands in front of Laravel and counts what really reaches it; changes nothing. */
export class CountingProxy {
  readonly url: string;
  readonly #server;
  readonly #target: string;
  #asked = 0;
  #open = 0;
  #mostOpen = 0;

  private constructor(server: ReturnType<typeof createServer>, target: string) {
    this.#server = server;
    this.#target = target;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => this.#pass(request, response));
  }

  /** @param target `http://127.0.0.1:1234` */
  static async start(target: string): Promise<CountingProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new CountingProxy(server, target);
  }

  /** Requests since the last `read`. */
  get asked(): number {
    return this.#asked;
  }

  /** What was counted since the last call: requests, and how many of them were open at one time at most. */
  read(): { readonly asked: number; readonly mostOpen: number } {
    const counted = { asked: this.#asked, mostOpen: this.#mostOpen };
    this.#asked = 0;
    this.#mostOpen = this.#open;
    return counted;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    this.#asked++;
    this.#mostOpen = Math.max(this.#mostOpen, ++this.#open);
    let isOpen = true;
    const over = () => {
      if (isOpen) this.#open--;
      isOpen = false;
    };
    const { method = 'POST', url = '/', headers } = request;
    const passed = forward(`${this.#target}${url}`, { method, headers }, async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk as Buffer);
      // Before the answer: whoever reads it may ask again at once.
      over();
      response.writeHead(answer.statusCode ?? 502, answer.headers).end(Buffer.concat(chunks));
    });
    // What Laravel does not answer, this proxy does not answer either.
    passed.once('error', () => response.destroy());
    response.once('close', () => {
      over();
      passed.destroy();
    });
    request.pipe(passed);
  }
}

import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

type Answer = (response: ServerResponse, request: IncomingMessage, nth: number) => void;

/** An auth endpoint that behaves as a test wants, and remembers what it was asked. */
export class FakeLaravel {
  readonly asked: Asked[] = [];
  closedEarly = 0;
  readonly #arrivals: (() => void)[] = [];
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #answer: Answer = (response) => response.end('true');

  static async start(answer?: Answer): Promise<FakeLaravel> {
    const laravel = new FakeLaravel();
    if (answer) laravel.#answer = answer;
    await new Promise<void>((resolve) => laravel.#server.listen(0, '127.0.0.1', resolve));
    return laravel;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/broadcasting/auth?x=1`;
  }

  answers(answer: Answer): void {
    this.#answer = answer;
  }

  answersJson(body: string, status = 200): void {
    this.#answer = (response) => response.writeHead(status).end(body);
  }

  /** Resolves when so many requests have come. */
  async arrived(count: number): Promise<void> {
    while (this.asked.length < count) await new Promise<void>((resolve) => this.#arrivals.push(resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { method = '', url = '', headers, rawHeaders } = request;
    response.on('close', () => {
      if (!response.writableFinished) this.closedEarly++;
    });
    this.asked.push({ method, url, headers, rawHeaders, body });
    for (const wake of this.#arrivals.splice(0)) wake();
    this.#answer(response, request, this.asked.length);
  }
}

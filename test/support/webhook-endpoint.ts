import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { until } from './yamabiko.ts';

export const WEBHOOK_SECRET = 'webhook-secret-of-the-tests';

export interface WebhookEvent {
  readonly id: string;
  readonly name: string;
  readonly channel: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of every kind
  readonly [field: string]: any;
}

interface Posted {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly events: readonly WebhookEvent[];
  /** What it was answered; null: nothing yet. */
  status: number | null;
}

type Answer = (posted: Posted, response: ServerResponse) => number | null;

/** Stands in for Laravel's webhook route: keeps what it is told, and answers as the test says. */
export class WebhookEndpoint {
  readonly posts: Posted[] = [];
  /** What to answer; null: the function answers by itself, or never does. */
  answer: Answer = () => 200;
  #server = this.#create();
  #port = 0;

  /** @param port default: a free one. @param listening false: only after `up` */
  static async start(port = 0, listening = true): Promise<WebhookEndpoint> {
    const endpoint = new WebhookEndpoint();
    endpoint.#port = port;
    if (listening) await endpoint.up();
    onTestFinished(() => endpoint.down());
    return endpoint;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/webhooks`;
  }

  get settings(): Readonly<Record<string, string>> {
    return {
      YAMABIKO_WEBHOOK_URL: this.url,
      YAMABIKO_WEBHOOK_SECRETS: WEBHOOK_SECRET,
      YAMABIKO_WEBHOOK_BATCH_MS: '20',
      YAMABIKO_WEBHOOK_RETRY_MIN_MS: '20',
      YAMABIKO_WEBHOOK_RETRY_MAX_MS: '200',
    };
  }

  /** Listens, after `down` on the same port. */
  async up(): Promise<void> {
    this.#server = this.#create();
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async down(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** Every event of every POST that was taken, as it came, repeats too. */
  get told(): readonly WebhookEvent[] {
    return this.posts.filter(({ status }) => status === 200).flatMap(({ events }) => events);
  }

  /** What is left without repeats: the first of each id. */
  get once(): readonly WebhookEvent[] {
    const seen = new Set<string>();
    return this.told.filter(({ id }) => !seen.has(id) && seen.add(id));
  }

  /** `name` and `channel` of each, without repeats. */
  lines(channel?: string): string[] {
    return this.once
      .filter((event) => channel === undefined || event.channel === channel)
      .map(
        (event) => `${event.name} ${event.channel}${event.user_id === undefined ? '' : ` ${event.user_id}`}`,
      );
  }

  /** Resolves when so many different events were told. */
  async tells(count: number, timeoutMs = 20_000): Promise<readonly WebhookEvent[]> {
    await until(
      () => this.once.length >= count,
      () => `${count} events are told: ${JSON.stringify(this.lines())}`,
      timeoutMs,
    );
    return this.once;
  }

  #create() {
    return createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of request) chunks.push(chunk as Buffer);
      } catch {
        return;
      }
      const body = Buffer.concat(chunks).toString();
      const { events } = JSON.parse(body) as { events: WebhookEvent[] };
      const posted: Posted = { headers: request.headers, body, events, status: null };
      this.posts.push(posted);
      const status = this.answer(posted, response);
      if (status === null) return;
      posted.status = status;
      response.writeHead(status).end();
    });
  }
}

export function signatureOf(body: string, secret = WEBHOOK_SECRET): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}

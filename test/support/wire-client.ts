import { EventQueue, patience } from './event-queue.ts';
import {
  type ClientSocket,
  clientOptions,
  connected,
  hearAll,
  type SocketIoOptions,
  socketIo,
  type WireEvent,
} from './socket-io.ts';

export interface WireOptions extends SocketIoOptions {
  /** For error messages. */
  readonly name?: string;
}

/** The `auth` of a subscribe. */
export interface SubscribeAuth {
  readonly token?: unknown;
  readonly headers?: unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into acks of every shape
export type Ack = any;

/** A bare socket.io-client that speaks Echo's subscribe protocol by hand, acks included. */
export class WireClient {
  readonly socket: ClientSocket;
  readonly #events: EventQueue<WireEvent>;
  readonly #name: string;

  constructor(options: WireOptions) {
    this.#name = options.name ?? `the socket.io ${options.version ?? 4} client`;
    this.#events = new EventQueue(this.#name);
    this.socket = socketIo(options.version ?? 4)(options.url, clientOptions(options));
    hearAll(this.socket, (event) => this.#events.push(event));
    this.socket.on('disconnect', (reason: string) =>
      this.#events.push({ event: 'disconnect', args: [reason] }),
    );
  }

  static async open(options: WireOptions): Promise<WireClient> {
    const client = new WireClient(options);
    await client.connected();
    return client;
  }

  get id(): string {
    return this.socket.id ?? '';
  }

  /** Resolves when connected, also after a `cut`. */
  connected(): Promise<void> {
    return connected(this.socket);
  }

  /** The next unread event: of that name, or that the predicate takes, or simply the next. `disconnect (reason)` is one. */
  next(wants?: string | ((event: WireEvent) => boolean), timeoutMs?: number): Promise<WireEvent> {
    if (typeof wants === 'string')
      return this.#events.next(({ event }) => event === wants, `the event ${wants}`, timeoutMs);
    return this.#events.next(wants, wants === undefined ? 'an event' : `an event with ${wants}`, timeoutMs);
  }

  unread(): readonly WireEvent[] {
    return this.#events.unread();
  }

  drain(): WireEvent[] {
    return this.#events.drain();
  }

  emit(event: string, ...args: unknown[]): void {
    this.socket.emit(event, ...args);
  }

  /** Emits and awaits the ack. */
  request(event: string, ...args: unknown[]): Promise<Ack> {
    const failure = new Error(`${this.#name} got no ack of ${event} ${JSON.stringify(args)}`);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(failure), patience.ms);
      this.socket.emit(event, ...args, (answer: unknown) => {
        clearTimeout(timer);
        resolve(answer);
      });
    });
  }

  subscribe(channel: string, auth: SubscribeAuth = {}): Promise<Ack> {
    return this.request('subscribe', { channel, auth });
  }

  unsubscribe(channel: string): Promise<Ack> {
    return this.request('unsubscribe', { channel });
  }

  /** @param event with its `client-` */
  whisper(channel: string, event: string, data: unknown): Promise<Ack> {
    return this.request('client event', { channel, event, data });
  }

  send(channel: string, data: unknown): Promise<Ack> {
    return this.request('send', { channel, data });
  }

  /** Cuts the transport, as a lost network would: the client comes back by itself. */
  cut(): void {
    this.socket.io.engine.close();
  }

  close(): void {
    this.socket.disconnect();
  }
}

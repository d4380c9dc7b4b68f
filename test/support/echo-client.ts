import Echo from 'laravel-echo';
import echo1 from 'laravel-echo-v1';
import { type EchoChannel, EchoSubscription } from './echo-subscription.ts';
import { EventQueue } from './event-queue.ts';
import {
  type ClientSocket,
  clientOptions,
  connected,
  hearAll,
  type SocketIoOptions,
  socketIo,
  type WireEvent,
} from './socket-io.ts';

export interface EchoClientOptions extends Omit<SocketIoOptions, 'auth'> {
  /** The major version of laravel-echo: 2 is 2.5, 1 is 1.16. Default 2. */
  readonly echo?: 1 | 2;
  /** The page's `auth.headers`, which Echo sends with each subscribe. */
  readonly authHeaders?: Readonly<Record<string, string>>;
  /** A bearer token of Laravel's: Echo's `bearerToken`. */
  readonly bearer?: string;
  /** The page's session cookie, as `Laravel.login` returns it. */
  readonly cookie?: string;
  /** Default false, so that events are listened to by their whole name. */
  readonly namespace?: string | false;
  /** For error messages. */
  readonly name?: string;
}

/** How the server answered a subscribe: `subscription_succeeded` or `subscription_error`. */
export type Settled =
  | { readonly ok: true; readonly info: unknown }
  | { readonly ok: false; readonly status: number };

/** 1.16's CommonJS build keeps the class in `default`, which Vitest's import has unwrapped and Node's has not. */
const Echo1 = (echo1.default ?? echo1) as unknown as typeof Echo;

/** A page with laravel-echo's built-in `socket.io` connector, on the socket.io-client of choice. */
export class EchoClient {
  readonly echo: Echo<'socket.io'>;
  readonly socket: ClientSocket;
  readonly #name: string;
  readonly #wire: EventQueue<WireEvent>;
  readonly #settled: EventQueue<WireEvent>;

  constructor(options: EchoClientOptions) {
    const { version = 4, authHeaders = {}, bearer, cookie, namespace = false, headers = {} } = options;
    this.#name = options.name ?? `Echo on client ${version}`;
    this.#wire = new EventQueue(this.#name);
    this.#settled = new EventQueue(this.#name);
    this.echo = new (options.echo === 1 ? Echo1 : Echo)({
      ...clientOptions({
        ...options,
        headers: { ...headers, ...(cookie === undefined ? {} : { Cookie: cookie }) },
      }),
      broadcaster: 'socket.io',
      client: socketIo(version),
      host: options.url,
      namespace,
      withoutInterceptors: true,
      // Always an object of its own: Echo writes the bearer token into it, and its default one is shared by all.
      auth: { headers: { ...authHeaders } },
      ...(bearer === undefined ? {} : { bearerToken: bearer }),
    });
    this.socket = (this.echo.connector as unknown as { socket: ClientSocket }).socket;
    hearAll(this.socket, (event) => this.#hear(event));
  }

  static async open(options: EchoClientOptions): Promise<EchoClient> {
    const client = new EchoClient(options);
    await client.connected();
    return client;
  }

  get id(): string {
    return this.socket.id ?? '';
  }

  connected(): Promise<void> {
    return connected(this.socket);
  }

  /** A public channel. @param events what to listen to, as for Echo's `listen` */
  channel(name: string, ...events: string[]): EchoSubscription {
    return this.#subscription(name, this.echo.channel(name), events);
  }

  private(name: string, ...events: string[]): EchoSubscription {
    return this.#subscription(`private-${name}`, this.echo.private(name), events);
  }

  /** A presence channel; here, joining, leaving are in its queue too. */
  join(name: string, ...events: string[]): EchoSubscription {
    return this.#subscription(`presence-${name}`, this.echo.join(name), events);
  }

  /** How the server answered the subscribe of that wire name; each answer is read once. */
  async settled(wire: string): Promise<Settled> {
    const { event, args } = await this.#settled.next(
      ({ args }) => args[0] === wire,
      `the answer for ${wire}`,
    );
    return event === 'subscription_succeeded'
      ? { ok: true, info: args[1] }
      : { ok: false, status: args[1] as number };
  }

  /** The next unread event on the wire, of any channel, whoever listens to it: the protocol's own ones too. */
  next(wants?: string | ((event: WireEvent) => boolean), timeoutMs?: number): Promise<WireEvent> {
    if (typeof wants === 'string')
      return this.#wire.next(({ event }) => event === wants, `the event ${wants}`, timeoutMs);
    return this.#wire.next(wants, wants === undefined ? 'an event' : `an event with ${wants}`, timeoutMs);
  }

  unread(): readonly WireEvent[] {
    return this.#wire.unread();
  }

  drain(): WireEvent[] {
    return this.#wire.drain();
  }

  /** Cuts the transport, as a lost network would: Echo comes back by itself. */
  cut(): void {
    this.socket.io.engine.close();
  }

  close(): void {
    this.echo.disconnect();
  }

  #subscription(wire: string, channel: unknown, events: readonly string[]): EchoSubscription {
    return new EchoSubscription(`${this.#name} on ${wire}`, channel as EchoChannel, events);
  }

  #hear(event: WireEvent): void {
    this.#wire.push(event);
    if (event.event === 'subscription_succeeded' || event.event === 'subscription_error')
      this.#settled.push(event);
  }
}

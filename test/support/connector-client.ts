import Echo from 'laravel-echo';
import echo1 from 'laravel-echo-v1';
import {
  type ConnectionStatus,
  type TokenSource,
  type YamabikoChannel,
  YamabikoConnector,
  type YamabikoEcho,
  type YamabikoOptions,
  type YamabikoPresenceChannel,
  type YamabikoPrivateChannel,
} from '../../echo-connector/src/index.ts';
import { type EchoChannel, EchoSubscription } from './echo-subscription.ts';
import { EventQueue } from './event-queue.ts';
import { type ClientSocket, clientOptions, connected, type Transport } from './socket-io.ts';

export interface ConnectorClientOptions {
  /** The major version of laravel-echo: 2 is 2.5, 1 is 1.16. Default 2. */
  readonly echo?: 1 | 2;
  /** The server, `http://127.0.0.1:1234`. */
  readonly url: string;
  readonly token?: TokenSource;
  /** More of the connector's options: `tokenEndpoint`, `bearerToken`, `retryDelayMs`... */
  readonly options?: Omit<YamabikoOptions, 'broadcaster' | 'host' | 'token'>;
  /** The page's session cookie. */
  readonly cookie?: string;
  readonly transports?: readonly Transport[];
  /** For error messages. */
  readonly name?: string;
}

type AnyChannel = YamabikoChannel | YamabikoPrivateChannel | YamabikoPresenceChannel;

/** A subscription whose queue also has `message` (`onMessage`), `subscribed` and `error`. */
export type ConnectorSubscription<C extends AnyChannel> = EchoSubscription<C & EchoChannel>;

/** 1.16's CommonJS build keeps the class in `default`, which Vitest's import has unwrapped and Node's has not. */
const Echo1 = (echo1.default ?? echo1) as unknown as typeof Echo;

/** A page with laravel-echo and our connector, from its sources. */
export class ConnectorClient {
  readonly echo: YamabikoEcho;
  readonly socket: ClientSocket;
  /** Every change of the connection's status, in order. */
  readonly statuses: EventQueue<ConnectionStatus>;
  readonly #name: string;

  constructor(options: ConnectorClientOptions) {
    const { url, token, cookie, transports = ['websocket'] } = options;
    this.#name = options.name ?? 'Echo with our connector';
    this.statuses = new EventQueue(`${this.#name}, its status,`);
    const headers = cookie === undefined ? {} : { headers: { Cookie: cookie } };
    const echoOptions = {
      ...clientOptions({ url, transports, ...headers }),
      namespace: false,
      withoutInterceptors: true,
      ...options.options,
      broadcaster: YamabikoConnector,
      host: url,
      ...(token === undefined ? {} : { token }),
    };
    const EchoClass = options.echo === 1 ? Echo1 : Echo;
    this.echo = new EchoClass<'function'>(echoOptions as never) as unknown as YamabikoEcho;
    this.socket = this.echo.connector.socket as unknown as ClientSocket;
    this.echo.connector.onConnectionChange((status) => this.statuses.push(status));
  }

  static async open(options: ConnectorClientOptions): Promise<ConnectorClient> {
    const client = new ConnectorClient(options);
    await client.connected();
    return client;
  }

  get id(): string {
    return this.socket.id ?? '';
  }

  connected(): Promise<void> {
    return connected(this.socket);
  }

  /** @param events what to listen to, as for Echo's `listen` */
  channel(name: string, ...events: string[]): ConnectorSubscription<YamabikoChannel> {
    return this.#subscription(this.echo.channel(name), events);
  }

  private(name: string, ...events: string[]): ConnectorSubscription<YamabikoPrivateChannel> {
    return this.#subscription(this.echo.private(name), events);
  }

  join(name: string, ...events: string[]): ConnectorSubscription<YamabikoPresenceChannel> {
    return this.#subscription(this.echo.join(name), events);
  }

  /** Cuts the transport, as a lost network would. */
  cut(): void {
    this.socket.io.engine.close();
  }

  close(): void {
    this.echo.disconnect();
  }

  #subscription<C extends AnyChannel>(channel: C, events: readonly string[]): ConnectorSubscription<C> {
    const known = channel as C & EchoChannel;
    const subscription = new EchoSubscription(`${this.#name} on ${channel.name}`, known, events);
    channel.onMessage((message) => subscription.hear('message', message));
    channel.subscribed(() => subscription.hear('subscribed', undefined));
    channel.error((refusal) => subscription.hear('error', refusal));
    return subscription;
  }
}

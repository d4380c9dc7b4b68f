import { io, type Socket } from 'socket.io-client';
import { presenceName, privateName, tokenChannelOf } from './channel-name.ts';
import { YamabikoChannel, YamabikoPresenceChannel, YamabikoPrivateChannel } from './channels.ts';
import { Connection } from './connection.ts';
import type { ConnectionStatus } from './connection-status.ts';
import { type ResolvedOptions, resolveOptions, socketOptions, type YamabikoOptions } from './options.ts';
import { PositionKeeper } from './position-keeper.ts';
import { Positions } from './positions.ts';
import type { SubscriptionParts } from './subscription.ts';
import { askEndpoint } from './token-endpoint.ts';
import { askSource, SharedQuestions } from './token-source.ts';

type AnyChannel = YamabikoChannel | YamabikoPrivateChannel | YamabikoPresenceChannel;

/**
 * The class for Echo's option `broadcaster`: `new Echo({ broadcaster: YamabikoConnector, host, token })`.
 *
 * It extends nothing of laravel-echo. Echo's own Connector calls connect() before a subclass has its fields, and
 * its defaults are one object for all instances: what one writes there, a bearer token say, the next one sends.
 */
export class YamabikoConnector {
  readonly options: ResolvedOptions;
  /** By wire name; Echo's leaveAllChannels() goes through its keys. */
  readonly channels: Record<string, AnyChannel> = Object.create(null);
  /** The socket of socket.io-client, for what this connector does not offer. */
  readonly socket: Socket;
  readonly #connection: Connection;
  readonly #parts: SubscriptionParts;

  constructor(options: YamabikoOptions) {
    this.options = resolveOptions(options);
    const { host, token, tokenTimeoutMs } = this.options;
    const connect = this.options.client ?? io;
    const own = socketOptions(options);
    this.socket = host === null ? connect(own) : connect(host, own);
    this.#connection = new Connection(this.socket, {
      up: () => this.#all().forEach((channel) => void channel.connectionUp()),
      down: (final) => this.#all().forEach((channel) => void channel.connectionDown(final)),
      event: (name, [wireName, data, position]) => this.#receive(name, wireName, data, position),
    });
    const ask = token === undefined ? askEndpoint(this.options) : askSource(token, tokenTimeoutMs);
    const { keepPositions, namespace } = this.options;
    const kept = PositionKeeper.of(`yamabiko:positions:${host ?? ''}:${namespace || ''}`, keepPositions);
    this.#parts = {
      connection: this.#connection,
      tokens: new SharedQuestions(ask),
      positions: new Positions(kept),
      options: this.options,
    };
  }

  /** Connects again after disconnect() or `failed`; all channels that were not left are subscribed anew. */
  connect(): void {
    this.#connection.open();
  }

  listen<Data = unknown>(name: string, event: string, callback: (data: Data) => void): YamabikoChannel {
    return this.channel(name).listen(event, callback);
  }

  channel(name: string): YamabikoChannel {
    return this.#channel(name, YamabikoChannel);
  }

  privateChannel(name: string): YamabikoPrivateChannel {
    return this.#channel(privateName(name), YamabikoPrivateChannel);
  }

  presenceChannel(name: string): YamabikoPresenceChannel {
    return this.#channel(presenceName(name), YamabikoPresenceChannel);
  }

  /**
   * For Echo 1.16; Echo 2 itself throws at encryptedPrivate() for every broadcaster but its own, and there
   * `private('encrypted-X')` is the same channel. Laravel's redis driver does not encrypt what it publishes.
   */
  encryptedPrivateChannel(name: string): YamabikoPrivateChannel {
    return this.privateChannel(`encrypted-${name}`);
  }

  /** Leaves X in all its kinds. */
  leave(name: string): void {
    for (const wireName of [name, privateName(name), privateName(`encrypted-${name}`), presenceName(name)]) {
      this.leaveChannel(wireName);
    }
  }

  /** Leaves one channel by its wire name. */
  leaveChannel(wireName: string): void {
    const channel = this.#find(wireName);
    if (!channel) return;
    channel.unsubscribe();
    delete this.channels[wireName];
    const { tokenChannel } = channel;
    const isLast = !this.#all().some((other) => other.tokenChannel === tokenChannel);
    if (isLast && tokenChannel !== null) this.#parts.tokens.forget(tokenChannel);
  }

  /** What Laravel needs as `X-Socket-ID` for toOthers(); undefined while not connected. */
  socketId(): string | undefined {
    return this.#connection.id;
  }

  connectionStatus(): ConnectionStatus {
    return this.#connection.status;
  }

  /** Tells every change of the status, once, in order. Returns what ends that. */
  onConnectionChange(callback: (status: ConnectionStatus) => void): () => void {
    return this.#connection.onChange(callback);
  }

  disconnect(): void {
    this.#connection.close();
  }

  #all(): AnyChannel[] {
    return Object.values(this.channels);
  }

  #find(wireName: string): AnyChannel | undefined {
    return Object.hasOwn(this.channels, wireName) ? this.channels[wireName] : undefined;
  }

  #channel<C extends AnyChannel>(
    wireName: string,
    Kind: new (wireName: string, channel: string | null, parts: SubscriptionParts) => C,
  ): C {
    const known = this.#find(wireName);
    // channel('private-X') and private('X') share a wire name, as with Echo: who came first decides the kind.
    if (known) return known as C;
    const channel = new Kind(wireName, tokenChannelOf(wireName), this.#parts);
    this.channels[wireName] = channel;
    channel.subscribe();
    return channel;
  }

  #receive(event: string, wireName: unknown, data: unknown, position: unknown): void {
    if (typeof wireName === 'string') this.#find(wireName)?.receive(event, data, position);
  }
}

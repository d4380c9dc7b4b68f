import { listenName, notificationEvent, whisperEvent, wireEvent } from './event-name.ts';
import { guardedCall } from './guarded-call.ts';
import { Listeners } from './listeners.ts';
import type { ResolvedOptions } from './options.ts';
import { RecoveryListeners } from './recovery-listeners.ts';
import { Subscription, type SubscriptionParts } from './subscription.ts';
import {
  decodeRoomMessage,
  decodeVerdict,
  type Gap,
  isProtocolEvent,
  type Recovery,
  type Refusal,
  type RoomMessage,
} from './wire.ts';
import { YamabikoError } from './yamabiko-error.ts';

/**
 * What all channels can do: Echo's own methods, and those of Yamabiko's rooms. Every method that registers a
 * callback returns the channel, so that calls can be chained as ever with Echo.
 */
export abstract class YamabikoBaseChannel {
  /** The wire name, e.g. `presence-chat:room1`. */
  readonly name: string;
  readonly options: ResolvedOptions;
  readonly notificationCreatedEvent = notificationEvent;
  protected readonly subscription: Subscription;
  readonly #parts: SubscriptionParts;
  readonly #events = new Listeners<[data: never]>();
  readonly #all = new Listeners<[event: string, data: never]>();
  readonly #subscribed = new Listeners<[]>();
  readonly #errors = new Listeners<[refusal: Refusal]>();
  readonly #messages = new Listeners<[message: never]>();
  readonly #recovery = new RecoveryListeners();

  /** `channel`: the name that a token's claim must bear, or null where no token can open the channel. */
  constructor(wireName: string, channel: string | null, parts: SubscriptionParts) {
    this.name = wireName;
    this.options = parts.options;
    this.#parts = parts;
    this.subscription = new Subscription(wireName, channel, parts, {
      subscribed: () => this.#subscribed.call(''),
      lost: () => this.lost(),
      refused: (refusal) => this.#refused(refusal),
    });
  }

  /** The name that a token's claim must bear, or null where no token can open the channel. */
  get tokenChannel(): string | null {
    return this.subscription.channel;
  }

  /** Listens for an event: `OrderShipped` in the namespace, `.order.shipped` as it stands. */
  listen<Data = unknown>(event: string, callback: (data: Data) => void): this {
    return this.on(wireEvent(this.options.namespace, event), callback);
  }

  /** Without a callback: no listener of this event is left. */
  stopListening(event: string, callback?: CallableFunction): this {
    this.#events.remove(wireEvent(this.options.namespace, event), callback);
    return this;
  }

  /** Every event of the channel, named as `.listen()` would take it. */
  listenToAll<Data = unknown>(callback: (event: string, data: Data) => void): this {
    this.#all.add('', callback);
    return this;
  }

  stopListeningToAll(callback?: CallableFunction): this {
    this.#all.remove('', callback);
    return this;
  }

  listenForWhisper<Data = unknown>(event: string, callback: (data: Data) => void): this {
    return this.listen(whisperEvent(event), callback);
  }

  stopListeningForWhisper(event: string, callback?: CallableFunction): this {
    return this.stopListening(whisperEvent(event), callback);
  }

  notification<Data = unknown>(callback: (notification: Data) => void): this {
    return this.listen(notificationEvent, callback);
  }

  stopListeningForNotification(callback?: CallableFunction): this {
    return this.stopListening(notificationEvent, callback);
  }

  /** The messages of the room: of its members, and of Laravel as the system user (id 0). */
  onMessage<Data = unknown>(callback: (message: RoomMessage<Data>) => void): this {
    this.#messages.add('', callback);
    return this;
  }

  stopOnMessage(callback?: CallableFunction): this {
    this.#messages.remove('', callback);
    return this;
  }

  /**
   * Called where events of this channel may be missing that the server cannot bring, as after an outage of its
   * Redis: time for the page to load its state anew.
   */
  onGap(callback: (gap: Gap) => void): this {
    this.#recovery.gaps.add('', callback);
    return this;
  }

  stopOnGap(callback?: CallableFunction): this {
    this.#recovery.gaps.remove('', callback);
    return this;
  }

  /** Called after what was missed in a cut, and before `.subscribed()`. `recovered: false`: `.onGap()` was told why. */
  recovered(callback: (recovery: Recovery) => void): this {
    this.#recovery.recoveries.add('', callback);
    return this;
  }

  stopRecovered(callback?: CallableFunction): this {
    this.#recovery.recoveries.remove('', callback);
    return this;
  }

  /**
   * Sends a message to the room, the sender included. Waits until the channel is subscribed. Resolves when the
   * server has taken the message; rejects with a YamabikoError. It is never sent twice: of `unavailable` after a
   * timeout or a cut, the outcome is unknown.
   */
  async send(data: Readonly<Record<string, unknown>>): Promise<void> {
    const refusal = await this.request('send', { channel: this.name, data });
    if (refusal) throw new YamabikoError(refusal);
  }

  /** Called each time the channel has been subscribed, after a reconnect too; at once if it is already. */
  subscribed(callback: () => void): this {
    this.#subscribed.add('', callback);
    this.#later(() => this.subscription.isSubscribed, callback);
    return this;
  }

  /** Called for each refusal: of the token, the subscription, a whisper; at once if it is already refused. */
  error(callback: (refusal: Refusal) => void): this {
    this.#errors.add('', callback);
    const { refusal } = this.subscription;
    if (refusal)
      this.#later(
        () => this.subscription.refusal === refusal,
        () => callback(refusal),
      );
    return this;
  }

  /** Listens for an event by its name on the wire. */
  on<Data = unknown>(event: string, callback: (data: Data) => void): this {
    this.#events.add(event, callback);
    return this;
  }

  /** Removes every callback for events. */
  unbind(): void {
    this.#events.clear();
    this.#all.clear();
    this.#messages.clear();
    this.#recovery.clear();
  }

  /** Subscribes; after a final refusal, tries again. The connector calls it first. */
  subscribe(): void {
    this.subscription.start();
  }

  /** Unsubscribes for good: the connector then forgets the channel. */
  unsubscribe(): void {
    this.unbind();
    this.subscription.leave();
  }

  /** The connector's: the connection is up again. */
  connectionUp(): void {
    this.subscription.connectionUp();
  }

  /** The connector's: the connection is down, for good or not. */
  connectionDown(final: boolean): void {
    this.subscription.connectionDown(final);
  }

  /** The connector's: an event of the server for this wire name. */
  receive(event: string, data: unknown, position: unknown): void {
    if (!this.subscription.hears) return;
    this.#parts.positions.event(this.name, event, position);
    if (event === 'subscription_error') this.subscription.errorEvent(typeof data === 'number' ? data : 0);
    this.received(event, data);
    this.#events.call(event, data as never);
    if (!isProtocolEvent(event)) this.#all.call('', listenName(this.options.namespace, event), data as never);
    this.#recovery.receive(event, data, position);
    if (event !== 'message') return;
    // A Laravel event may be named `message` too; only a room's message has a sender.
    const message = decodeRoomMessage(data);
    if (message) this.#messages.call('', message as never);
  }

  /** What a kind of channel does with an event before its listeners hear it. */
  protected received(_event: string, _data: unknown): void {}

  /** What a kind of channel does when its membership ended: by the server, or with the connection. */
  protected lost(): void {}

  /** Asks the server for something that needs the subscription; null is a yes. */
  protected async request(event: string, body: object): Promise<Refusal | null> {
    const refusal = await this.subscription.ready();
    if (refusal) return refusal;
    const { connection, options } = this.#parts;
    return new Promise((resolve) => {
      connection.ask(event, body, options.answerTimeoutMs, (answer) => {
        resolve(answer.came ? decodeVerdict(answer.value) : answer.refusal);
      });
    });
  }

  /**
   * Sends a whisper to the others; a refusal goes to `.error()`. The first ones wait for the subscription; those
   * of a page that is cut off are dropped: "is typing" of ten seconds ago is worth nothing.
   */
  protected sendWhisper(event: string, data: unknown): void {
    if (this.subscription.wasSubscribed && !this.subscription.isSubscribed) return;
    const body = { channel: this.name, event: `client-${event}`, data };
    void this.request('client event', body).then((refusal) => {
      if (refusal && this.subscription.isSubscribed) this.#refused(refusal);
    });
  }

  /** For a callback that came after its event, if that still holds then: a channel may be left in between. */
  #later(holds: () => boolean, callback: () => void): void {
    if (!holds()) return;
    queueMicrotask(() => {
      if (holds()) guardedCall(callback);
    });
  }

  #refused(refusal: Refusal): void {
    this.#errors.call('', refusal);
    const { onError } = this.options;
    if (onError) guardedCall(onError, { ...refusal, channel: this.name });
  }
}

import { EventQueue } from './event-queue.ts';

/** What an Echo channel told the page: `name` is the event as the page listens to it, or here, joining, leaving... */
export interface EchoEvent {
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into payloads of every shape
  readonly payload: any;
}

type Listener = (payload: unknown) => void;

/** What Echo's channels and our connector's have in common, as far as tests use it; the rest is there or not. */
export interface EchoChannel {
  listen(event: string, listener: Listener): unknown;
  stopListening(event: string, listener?: Listener): unknown;
  notification(listener: Listener): unknown;
  error(listener: Listener): unknown;
  subscribed(listener: Listener): unknown;
  here?(listener: Listener): unknown;
  joining?(listener: Listener): unknown;
  leaving?(listener: Listener): unknown;
  whisper?(event: string, data: unknown): unknown;
  listenForWhisper(event: string, listener: Listener): unknown;
}

/** One channel of a page: it listens to what the test names, and the test awaits it with `next`. */
export class EchoSubscription<C extends EchoChannel = EchoChannel> {
  /** Echo's own channel object. */
  readonly channel: C;
  readonly #events: EventQueue<EchoEvent>;

  /** @param events as for Echo's `listen`: `.App\\Happened`, `Happened`; whispers as `client-typing` with a leading dot */
  constructor(name: string, channel: C, events: readonly string[] = []) {
    this.channel = channel;
    this.#events = new EventQueue(name);
    this.listen(...events);
    for (const told of ['here', 'joining', 'leaving'] as const)
      channel[told]?.((payload: unknown) => this.hear(told, payload));
  }

  listen(...events: readonly string[]): this {
    for (const event of events) this.channel.listen(event, (payload) => this.hear(event, payload));
    return this;
  }

  listenForWhisper(...names: readonly string[]): this {
    for (const name of names)
      this.channel.listenForWhisper(name, (payload) => this.hear(`whisper ${name}`, payload));
    return this;
  }

  listenForNotifications(): this {
    this.channel.notification((payload) => this.hear('notification', payload));
    return this;
  }

  /** Puts something into the queue, for listeners that a test registers by itself. */
  hear(name: string, payload: unknown): void {
    this.#events.push({ name, payload });
  }

  whisper(name: string, data: unknown): void {
    if (this.channel.whisper === undefined) throw new Error('this channel has no whispers');
    this.channel.whisper(name, data);
  }

  next(wants?: string | ((event: EchoEvent) => boolean), timeoutMs?: number): Promise<EchoEvent> {
    if (typeof wants === 'string') return this.#events.next(({ name }) => name === wants, wants, timeoutMs);
    return this.#events.next(wants, wants === undefined ? 'an event' : `an event with ${wants}`, timeoutMs);
  }

  unread(): readonly EchoEvent[] {
    return this.#events.unread();
  }

  drain(): EchoEvent[] {
    return this.#events.drain();
  }
}

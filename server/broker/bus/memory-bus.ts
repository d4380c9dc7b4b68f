import { CUSTOM_CHANNEL } from '../../domain/channel-name.ts';
import { UnavailableError } from '../../domain/outcome.ts';
import type { BrokerLog } from '../broker-log.ts';
import type { Bus, BusListener, GoLive } from './bus.ts';
import { FollowCount } from './follow-count.ts';

/**
 * The bus of one node, for as long as its process lives.
 *
 * Delivery happens after the publisher's own turn, never inside his call: a listener that publishes while it
 * is being told something would otherwise have the second payload overtake the first at the listeners behind.
 * It comes before the publisher's `await` goes on, as it may with Redis.
 */
export class MemoryBus implements Bus {
  readonly #log: BrokerLog;
  readonly #follows = new FollowCount();
  #listener: BusListener | null = null;
  #running = false;
  #queue: { channel: string; payload: Buffer }[] = [];

  constructor({ log }: { log: BrokerLog }) {
    this.#log = log;
  }

  listen(listener: BusListener): void {
    this.#listener = listener;
  }

  async start(): Promise<void> {
    this.#running = true;
    this.#listener?.readiness(true);
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#queue = [];
  }

  lagMs(): number | null {
    return null;
  }

  ready(): boolean {
    return this.#running;
  }

  async publish(channel: string, payload: string | Buffer): Promise<void> {
    this.#refuseUnlessRunning();
    // Asked now, not at delivery: who follows in between must not hear what was published before.
    if (channel !== CUSTOM_CHANNEL && !this.#follows.has(channel)) return;
    this.#queue.push({ channel, payload: Buffer.from(payload as Buffer) });
    if (this.#queue.length === 1) queueMicrotask(() => this.#drain());
  }

  async follow(channel: string): Promise<void> {
    this.#refuseUnlessRunning();
    this.#follows.add(channel);
  }

  unfollow(channel: string): void {
    this.#follows.remove(channel);
  }

  position(): null {
    return null;
  }

  async resume(_from: string | null, _channels: readonly string[], live: GoLive): Promise<void> {
    live([], false, null);
  }

  #drain(): void {
    // The index, not shift(): the queue stays non-empty while it is worked off, so nobody starts a second pass.
    for (let i = 0; i < this.#queue.length; i++) {
      const entry = this.#queue[i];
      if (entry !== undefined) this.#deliver(entry.channel, entry.payload);
    }
    this.#queue = [];
  }

  #deliver(channel: string, payload: Buffer): void {
    try {
      this.#listener?.deliver(channel, payload, null);
    } catch (err) {
      this.#log.error({ err, channel }, 'a bus listener failed; the next broadcast goes on');
    }
  }

  #refuseUnlessRunning(): void {
    if (!this.#running) throw new UnavailableError('the bus does not run');
  }
}

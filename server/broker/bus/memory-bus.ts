import { CUSTOM_CHANNEL } from '../../domain/channel-name.ts';
import { UnavailableError } from '../../domain/outcome.ts';
import { formatPosition } from '../../domain/position.ts';
import type { BrokerLog } from '../broker-log.ts';
import type { Outbox, Telling } from '../outbox/outbox.ts';
import type { Bus, BusListener, Resumption } from './bus.ts';
import { FollowCount } from './follow-count.ts';
import { History, type HistoryBounds } from './history.ts';
import { resumeFrom } from './resume.ts';

export interface MemoryBusOptions {
  readonly log: BrokerLog;
  /** Of the history; null: none is kept. */
  readonly bounds: HistoryBounds | null;
  readonly outbox?: Pick<Outbox, 'tell'> | null;
}

/**
 * The bus of one node, for as long as its process lives.
 *
 * Delivery happens after the publisher's own turn, never inside his call: a listener that publishes while it
 * is being told something would otherwise have the second payload overtake the first at the listeners behind.
 * It comes before the publisher's `await` goes on, as it may with Redis.
 */
export class MemoryBus implements Bus {
  readonly #log: BrokerLog;
  readonly #outbox: Pick<Outbox, 'tell'> | null;
  readonly #follows = new FollowCount();
  readonly #history: History | null;
  readonly #epoch = Date.now();
  #listener: BusListener | null = null;
  #running = false;
  #index = 0;
  #queue: { channel: string; payload: Buffer; followed: boolean }[] = [];

  constructor({ log, bounds, outbox = null }: MemoryBusOptions) {
    this.#log = log;
    this.#outbox = outbox;
    this.#history = bounds === null ? null : new History(bounds, { epoch: this.#epoch, index: 0 });
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

  async publish(channel: string, payload: string | Buffer, telling: Telling | null = null): Promise<void> {
    this.#refuseUnlessRunning();
    if (telling !== null) void this.#outbox?.tell(telling);
    // Asked now, not at delivery: who follows in between must not hear what was published before.
    const followed = channel === CUSTOM_CHANNEL || this.#follows.has(channel);
    if (!followed && this.#history === null) return;
    this.#queue.push({ channel, payload: Buffer.from(payload as Buffer), followed });
    if (this.#queue.length === 1) queueMicrotask(() => this.#drain());
  }

  async follow(channel: string): Promise<void> {
    this.#refuseUnlessRunning();
    this.#follows.add(channel);
  }

  unfollow(channel: string): void {
    this.#follows.remove(channel);
  }

  position(): string | null {
    return this.#history === null ? null : formatPosition(this.#history.last);
  }

  async reach(): Promise<void> {
    // Nothing can be ahead of the only node there is.
  }

  async resume(resumption: Resumption): Promise<void> {
    if (this.#history === null && resumption.signal.aborted) return;
    if (this.#history === null) return resumption.live([], { complete: false, position: null });
    await resumeFrom(this.#history, resumption);
  }

  #drain(): void {
    // The index, not shift(): the queue stays non-empty while it is worked off, so nobody starts a second pass.
    for (let i = 0; i < this.#queue.length; i++) {
      const entry = this.#queue[i];
      if (entry !== undefined) this.#deliver(entry);
    }
    this.#queue = [];
  }

  #deliver({ channel, payload, followed }: { channel: string; payload: Buffer; followed: boolean }): void {
    this.#history?.add({ epoch: this.#epoch, index: ++this.#index }, channel, payload);
    if (!followed) return;
    try {
      this.#listener?.deliver(channel, payload, this.position());
    } catch (err) {
      this.#log.error({ err, channel }, 'a bus listener failed; the next broadcast goes on');
    }
  }

  #refuseUnlessRunning(): void {
    if (!this.#running) throw new UnavailableError('the bus does not run');
  }
}

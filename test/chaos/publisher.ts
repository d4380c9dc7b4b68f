import { Redis } from 'ioredis';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { Journal } from './journal.ts';

/** As Illuminate's RedisBroadcaster sends it. */
const LARAVEL_SCRIPT = `for i = 2, #ARGV do redis.call('publish', ARGV[i], ARGV[1]) end`;
const USUAL_PER_SECOND = 40;

export interface PublisherOptions {
  readonly url: string;
  readonly prefix: string;
  /** In front of its numbers. */
  readonly letter: string;
  /** How many. Default: 40. */
  readonly perSecond?: number;
  readonly journal: Journal;
  readonly random: SeededRandom;
  readonly eventWires: readonly string[];
  /** Where an event named `message` is a message of the room. */
  readonly messageWires: readonly string[];
  readonly rooms: readonly string[];
  /** A socket id that some client has now, for toOthers. */
  readonly someSocketId: () => string | null;
  /** Whom to send a message alone; absent: nobody. */
  readonly someUserId?: () => number;
}

/** Writes like Laravel, and numbers what it writes. What Redis did not take is not in the journal either. */
export class Publisher {
  readonly #redis: Redis;
  readonly #options: PublisherOptions;
  #number = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#redis = new Redis(options.url, {
      connectionName: 'chaos-laravel',
      lazyConnect: true,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      retryStrategy: () => 50,
    });
    this.#redis.on('error', () => {});
  }

  open(): Promise<void> {
    return this.#redis.connect();
  }

  close(): void {
    this.pause();
    this.#redis.disconnect();
  }

  go(): void {
    const { perSecond = USUAL_PER_SECOND } = this.#options;
    this.#timer ??= setInterval(() => this.#publish(), 1_000 / perSecond);
  }

  pause(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #publish(): void {
    const { journal, letter, random, messageWires, eventWires } = this.#options;
    if (!journal.live || this.#redis.status !== 'ready') return;
    const key = `${letter}:${++this.#number}`;
    journal.begin(key);
    const kind = random.next();
    if (kind < 0.2) this.#toRoom(key);
    else if (kind < 0.35) this.#event(key, 'message', [random.pick(messageWires)]);
    else {
      const count = random.pick([1, 1, 1, 2, 3]);
      this.#event(key, 'App\\Events\\Chaos', random.shuffled(eventWires).slice(0, count));
    }
  }

  /** `Redis::publish('broadcast', ...)`, now and then to one user. */
  #toRoom(key: string): void {
    const { prefix, random, rooms, someUserId } = this.#options;
    const channel = random.pick(rooms);
    const target =
      someUserId !== undefined && channel !== 'lobby' && random.chance(0.1)
        ? { target_user_id: someUserId() }
        : {};
    const data = { message: key, name: 'Laravel', ...target };
    this.#redis
      .publish(`${prefix}broadcast`, JSON.stringify({ channel, data, type: 'message' }))
      .catch(() => {});
  }

  #event(key: string, event: string, wires: readonly string[]): void {
    const { prefix, random, someSocketId } = this.#options;
    const socket = random.chance(0.1) ? someSocketId() : null;
    const payload = JSON.stringify({ event, data: { message: key, name: 'Laravel', socket }, socket });
    this.#redis.eval(LARAVEL_SCRIPT, 0, payload, ...wires.map((wire) => prefix + wire)).catch(() => {});
  }
}

import { Redis } from 'ioredis';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { Journal } from './journal.ts';
import { EVENT_WIRES, MESSAGE_WIRES, PREFIX, ROOMS } from './scene.ts';

/** As Illuminate's RedisBroadcaster sends it. */
const LARAVEL_SCRIPT = `for i = 2, #ARGV do redis.call('publish', ARGV[i], ARGV[1]) end`;
const TICK_MS = 25;

/** Writes like Laravel, and numbers what it writes. What Redis did not take is not in the journal either. */
export class Publisher {
  readonly #redis: Redis;
  readonly #journal: Journal;
  readonly #random: SeededRandom;
  /** A socket id that some client has now, for toOthers. */
  readonly #someSocketId: () => string | null;
  readonly #someUserId: () => number;
  #number = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    url: string,
    journal: Journal,
    random: SeededRandom,
    some: { socketId: () => string | null; userId: () => number },
  ) {
    this.#redis = new Redis(url, {
      connectionName: 'chaos-laravel',
      lazyConnect: true,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      retryStrategy: () => 50,
    });
    this.#redis.on('error', () => {});
    this.#journal = journal;
    this.#random = random;
    this.#someSocketId = some.socketId;
    this.#someUserId = some.userId;
  }

  open(): Promise<void> {
    return this.#redis.connect();
  }

  close(): void {
    this.pause();
    this.#redis.disconnect();
  }

  go(): void {
    this.#timer ??= setInterval(() => this.#publish(), TICK_MS);
  }

  pause(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #publish(): void {
    if (!this.#journal.live || this.#redis.status !== 'ready') return;
    const key = `L:${++this.#number}`;
    this.#journal.begin(key);
    const kind = this.#random.next();
    if (kind < 0.2) this.#toRoom(key);
    else if (kind < 0.35) this.#event(key, 'message', [this.#random.pick(MESSAGE_WIRES)]);
    else {
      const count = this.#random.pick([1, 1, 1, 2, 3]);
      this.#event(key, 'App\\Events\\Chaos', this.#random.shuffled(EVENT_WIRES).slice(0, count));
    }
  }

  /** `Redis::publish('broadcast', ...)`, now and then to one user. */
  #toRoom(key: string): void {
    const channel = this.#random.pick(ROOMS);
    const target =
      channel !== 'lobby' && this.#random.chance(0.1) ? { target_user_id: this.#someUserId() } : {};
    const data = { message: key, name: 'Laravel', ...target };
    this.#redis
      .publish(`${PREFIX}broadcast`, JSON.stringify({ channel, data, type: 'message' }))
      .catch(() => {});
  }

  #event(key: string, event: string, wires: readonly string[]): void {
    const socket = this.#random.chance(0.1) ? this.#someSocketId() : null;
    const payload = JSON.stringify({ event, data: { message: key, name: 'Laravel', socket }, socket });
    this.#redis.eval(LARAVEL_SCRIPT, 0, payload, ...wires.map((wire) => PREFIX + wire)).catch(() => {});
  }
}

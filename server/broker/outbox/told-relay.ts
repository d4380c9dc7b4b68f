import type { Redis } from 'ioredis';
import type { RedisOutbox } from './redis-outbox.ts';

const PAGE = 100;

/**
 * With a Cluster a room's script can write only beside the room's own keys. From there each entry is brought to its
 * lane, oldest first, and taken away when it has arrived: by whichever node touches the room next, so that the death
 * of one loses nothing. Two nodes at once bring some twice, with the same ids.
 */
export class ToldRelay {
  readonly #outbox: RedisOutbox;
  readonly #running = new Map<string, { again: boolean; readonly done: Promise<void> }>();

  constructor(outbox: RedisOutbox) {
    this.#outbox = outbox;
  }

  /** @throws what Redis answered: the next script of the room goes on */
  run(redis: Redis, order: string, keys: readonly [string, string]): Promise<void> {
    const running = this.#running.get(keys[0]);
    if (running !== undefined) {
      running.again = true;
      return running.done;
    }
    const state = { again: false, done: Promise.resolve() };
    this.#running.set(keys[0], state);
    state.done = this.#bringAll(redis, order, keys, state).finally(() => this.#running.delete(keys[0]));
    return state.done;
  }

  async #bringAll(
    redis: Redis,
    order: string,
    keys: readonly [string, string],
    state: { again: boolean },
  ): Promise<void> {
    do {
      state.again = false;
      for (;;) {
        const page = await redis.xrange(keys[0], '-', '+', 'COUNT', PAGE);
        for (const [place, fields] of page) {
          await this.#outbox.adopt(redis, order, fields);
          await this.#outbox.forget(redis, keys, place);
        }
        if (page.length < PAGE) break;
      }
    } while (state.again);
  }
}

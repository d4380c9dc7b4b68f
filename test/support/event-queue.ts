import { inspect } from 'node:util';

/**
 * How long clients wait for what must come, in milliseconds: long enough for a loaded machine, below vitest's limit.
 * A story with hundreds of clients in its process may set it higher.
 */
export const patience = { ms: 8_000 };

interface Waiter<T> {
  readonly wants: (item: T) => boolean;
  readonly resolve: (item: T) => void;
  readonly reject: (error: Error) => void;
}

/**
 * What a test client has heard and the test has not read yet. `next` awaits instead of sleeping; when it waits in
 * vain, its error shows what did arrive.
 */
export class EventQueue<T> {
  readonly #owner: string;
  readonly #unread: T[] = [];
  readonly #read: T[] = [];
  readonly #waiters = new Set<Waiter<T>>();
  #ended: string | null = null;

  /** @param owner who hears, for error messages */
  constructor(owner: string) {
    this.#owner = owner;
  }

  push(item: T): void {
    for (const waiter of this.#waiters) {
      if (!waiter.wants(item)) continue;
      this.#waiters.delete(waiter);
      this.#read.push(item);
      waiter.resolve(item);
      return;
    }
    this.#unread.push(item);
  }

  /** Nothing more will come: whoever waits, or will wait for what has not arrived, fails at once. */
  end(reason: string): void {
    this.#ended = reason;
    for (const waiter of this.#waiters) waiter.reject(new Error(reason));
    this.#waiters.clear();
  }

  /**
   * The first unread item that the predicate takes (without one: the first unread item at all), awaited if need be.
   * Items that it passes over stay unread.
   * @param what names the awaited thing in the error
   */
  next(wants: (item: T) => boolean = () => true, what = 'an event', timeoutMs = patience.ms): Promise<T> {
    const at = this.#unread.findIndex(wants);
    if (at >= 0) {
      const item = this.#unread.splice(at, 1)[0] as T;
      this.#read.push(item);
      return Promise.resolve(item);
    }
    // Made here, so that the stack names the line of the test and not a timer.
    const failure = new Error();
    const fail = (why: string): Error => {
      failure.message = `${this.#owner} waited for ${what}, but ${why}.\n${this.#story()}`;
      return failure;
    };
    if (this.#ended !== null) return Promise.reject(fail(this.#ended));
    return new Promise<T>((resolve, reject) => {
      const waiter: Waiter<T> = {
        wants,
        resolve: (item) => {
          clearTimeout(timer);
          resolve(item);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(fail(error.message));
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(fail(`nothing of the kind came in ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  /** What has arrived and nobody has read, oldest first. Ask it after a sync point (an ack, a later event). */
  unread(): readonly T[] {
    return [...this.#unread];
  }

  /** Forgets what is unread. @returns what it was */
  drain(): T[] {
    return this.#unread.splice(0);
  }

  #story(): string {
    const show = (items: readonly T[]) =>
      items.length === 0
        ? ' nothing'
        : items.map((item) => `\n  ${inspect(item, { depth: 6, breakLength: 140 })}`).join('');
    return `Unread:${show(this.#unread.slice(-20))}\nRead before:${show(this.#read.slice(-5))}`;
  }
}

/**
 * A connection's commands, one at a time for each key (a channel), keys side by side: an unsubscribe never
 * overtakes its subscribe, and a slow answer for one channel holds up no other.
 */
export class CommandQueue {
  readonly #maxPending: number;
  readonly #maxBytes: number;
  readonly #tails = new Map<string, Promise<void>>();
  #pending = 0;
  #bytes = 0;

  /**
   * @param maxPending commands that may wait or run at once, over all keys; from 1
   * @param maxBytes that these may hold; the first is taken whatever its size
   */
  constructor(maxPending: number, maxBytes: number) {
    this.#maxPending = maxPending;
    this.#maxBytes = maxBytes;
  }

  /**
   * @param bytes about what it holds while it waits
   * @param command must not reject: the boundary that made it catches
   * @returns false where the queue is full and the command will not run
   */
  run(key: string, bytes: number, command: () => Promise<void>): boolean {
    if (this.#pending >= this.#maxPending) return false;
    if (this.#pending > 0 && this.#bytes + bytes > this.#maxBytes) return false;
    this.#pending++;
    this.#bytes += bytes;
    const tail = (this.#tails.get(key) ?? Promise.resolve()).then(command).finally(() => {
      this.#pending--;
      this.#bytes -= bytes;
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    this.#tails.set(key, tail);
    return true;
  }
}

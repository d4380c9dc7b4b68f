/** What is corked: a net.Socket, or a test's stand-in. */
export interface Corkable {
  cork(): void;
  uncork(): void;
}

/**
 * Joins all that a socket is sent in one turn of the event loop into one system call: the first write corks it,
 * the end of the turn uncorks all. Order is kept by itself, since every writer (ours, Engine.IO's, ws's) writes
 * to the same corked socket.
 */
export class TickCork {
  #corked = new Set<Corkable>();

  cork(socket: Corkable): void {
    if (this.#corked.has(socket)) return;
    socket.cork();
    if (this.#corked.size === 0) setImmediate(() => this.#uncorkAll());
    this.#corked.add(socket);
  }

  /** Sends at once what was joined for a socket so far. */
  flush(socket: Corkable): void {
    if (!this.#corked.has(socket)) return;
    socket.uncork();
    socket.cork();
  }

  #uncorkAll(): void {
    const corked = this.#corked;
    this.#corked = new Set();
    for (const socket of corked) socket.uncork();
  }
}

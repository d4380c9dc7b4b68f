import type { Closure } from '../domain/outcome.ts';
import type { Connection } from './connection.ts';

/** All connections of this node. */
export class Connections {
  readonly #connections = new Set<Connection>();
  #draining = false;

  get draining(): boolean {
    return this.#draining;
  }

  get size(): number {
    return this.#connections.size;
  }

  /** Why a newcomer cannot be taken, or null. */
  refusal(): Closure | null {
    return this.#draining ? { code: 'restarting', message: 'this server restarts: reconnect' } : null;
  }

  add(connection: Connection): void {
    this.#connections.add(connection);
  }

  remove(connection: Connection): void {
    this.#connections.delete(connection);
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#connections.values();
  }

  /** From now on newcomers are refused with `restarting`. */
  drain(): void {
    this.#draining = true;
  }
}

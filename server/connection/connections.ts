import type { Closure } from '../domain/outcome.ts';
import type { Connection } from './connection.ts';

/** All connections of this node. */
export class Connections {
  readonly #max: number;
  readonly #connections = new Set<Connection>();
  #draining = false;

  /** @param max connections in all, from 1 */
  constructor(max: number) {
    this.#max = max;
  }

  get draining(): boolean {
    return this.#draining;
  }

  get size(): number {
    return this.#connections.size;
  }

  /** Why a newcomer cannot be taken, or null. */
  refusal(): Closure | null {
    if (this.#draining) return { code: 'restarting', message: 'this server restarts: reconnect' };
    if (this.size >= this.#max) return { code: 'limit_reached', message: 'this server is full' };
    return null;
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

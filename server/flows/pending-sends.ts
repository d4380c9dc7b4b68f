/**
 * Messages of this node's clients that are on their way to the bus. When one comes back before the bus has
 * answered, its coming is the proof that it was taken: the sender is told first, then gets his copy (protocol.md
 * section 3: `sended` before the sender's own copy).
 */
export class PendingSends {
  readonly #nodeId: string;
  readonly #pending = new Map<string, () => void>();
  #count = 0;

  constructor(nodeId: string) {
    this.#nodeId = nodeId;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** @returns the name that the message bears on the bus */
  add(taken: () => void): string {
    const ref = `${this.#nodeId}:${++this.#count}`;
    this.#pending.set(ref, taken);
    return ref;
  }

  arrived(ref: string): void {
    this.#pending.get(ref)?.();
  }

  delete(ref: string): void {
    this.#pending.delete(ref);
  }
}

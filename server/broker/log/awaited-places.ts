import { setTimeout as sleep } from 'node:timers/promises';
import { comparePositions, type Position } from '../../domain/position.ts';

/** Clients that come from a node that was ahead of this one wait until it has read as far. */
export class AwaitedPlaces {
  readonly #waiting = new Set<{ readonly at: Position; readonly reached: () => void }>();

  /** Resolves when a place was read, or after `limitMs`. */
  async reach(at: Position, limitMs: number): Promise<void> {
    const patience = new AbortController();
    const waiter = { at, reached: () => patience.abort() };
    this.#waiting.add(waiter);
    await sleep(limitMs, null, { signal: patience.signal }).catch(() => {
      // It was reached.
    });
    this.#waiting.delete(waiter);
  }

  read(at: Position): void {
    for (const waiter of this.#waiting) if (comparePositions(at, waiter.at) >= 0) waiter.reached();
  }

  giveUp(): void {
    for (const { reached } of this.#waiting) reached();
  }
}

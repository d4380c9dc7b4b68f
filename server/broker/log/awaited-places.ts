import { comparePositions, type Position } from '../../domain/position.ts';

/** How long a node may be behind another, in milliseconds. A stranger's position of the future is waited for so long. */
const REACH_MS = 2_000;

/** Clients that come from a node that was ahead of this one wait until it has read as far. */
export class AwaitedPlaces {
  readonly #waiting = new Set<{ readonly at: Position; readonly end: () => void }>();

  /** Resolves when a place was read, is not read in time, or is awaited no more. */
  reach(at: Position, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        this.#waiting.delete(waiter);
        resolve();
      };
      const waiter = { at, end };
      const timer = setTimeout(end, REACH_MS);
      signal.addEventListener('abort', end);
      this.#waiting.add(waiter);
    });
  }

  read(at: Position): void {
    for (const waiter of this.#waiting) if (comparePositions(at, waiter.at) >= 0) waiter.end();
  }

  giveUp(): void {
    for (const { end } of this.#waiting) end();
  }
}

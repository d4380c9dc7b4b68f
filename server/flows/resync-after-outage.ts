import { UnavailableError } from '../domain/outcome.ts';
import { announce } from './deliver-broadcast.ts';
import type { Parts } from './parts.ts';

/** Who is missing after an outage has this many leases to come back before he is shown leaving (protocol.md section 10). */
const LEASES_BEFORE_LEAVING = 1.5;
const RETRY_MS = 500;

/**
 * Redis is back, or turned out to have lost this node: own seats are entered again, then every room that clients
 * here look at is compared with the roster. Who came is shown at once; who is missing only after 1.5 leases, since
 * the nodes that hold him may still be coming back. Only then does the node call itself ready.
 */
export class OutageResync {
  readonly #parts: Parts;
  readonly #stopped = new AbortController();
  #generation = 0;
  #synced = true;
  #removals: NodeJS.Timeout | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The roster and the views are in step with Redis, as far as is known. */
  get synced(): boolean {
    return this.#synced;
  }

  /** The bus has lost Redis: whatever ran is void. */
  outage(): void {
    this.#generation++;
    this.#synced = false;
  }

  async back(): Promise<void> {
    const generation = ++this.#generation;
    const { log, roster } = this.#parts;
    while (this.#isCurrent(generation)) {
      try {
        await roster.restore();
        await this.#reconcile(generation, false);
        if (!this.#isCurrent(generation)) return;
        this.#synced = true;
        this.#scheduleRemovals(generation);
        return;
      } catch (error) {
        if (!(error instanceof UnavailableError))
          log.error({ err: error }, 'putting the roster right failed, trying again');
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
      }
    }
  }

  stop(): void {
    this.#stopped.abort();
    this.#generation++;
    if (this.#removals !== null) clearTimeout(this.#removals);
  }

  #isCurrent(generation: number): boolean {
    return generation === this.#generation && !this.#stopped.signal.aborted;
  }

  #scheduleRemovals(generation: number): void {
    if (this.#removals !== null) clearTimeout(this.#removals);
    this.#removals = setTimeout(() => {
      if (!this.#isCurrent(generation)) return;
      this.#reconcile(generation, true).catch((error: unknown) => {
        // The next outage's end compares again; a leaver stays shown until then, which is the lesser fault.
        this.#parts.log.warn({ err: error }, 'comparing the rooms after an outage failed');
      });
    }, LEASES_BEFORE_LEAVING * this.#parts.settings.nodeTtlMs);
  }

  async #reconcile(generation: number, removals: boolean): Promise<void> {
    for (const room of this.#parts.views.rooms()) {
      const snapshot = await this.#parts.roster.members(room);
      if (!this.#isCurrent(generation)) return;
      const position = this.#parts.bus.position();
      for (const change of this.#parts.views.get(room)?.reconcile(snapshot, removals) ?? []) {
        announce(this.#parts, room, change, position);
      }
    }
  }
}

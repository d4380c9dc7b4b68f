import { UnavailableError } from '../domain/outcome.ts';
import { announce } from './deliver-broadcast.ts';
import type { Parts } from './parts.ts';

/**
 * Who is missing after an outage has so many leases to come back before he is shown leaving, counted from our own
 * return, which is later than that of Redis. So it is all over within the 1.5 leases of protocol.md section 10.
 */
const LEASES_BEFORE_LEAVING = 1.25;
/** But no less than the other nodes may take to bring their members back (protocol.md section 10), in milliseconds. */
const LEAST_PATIENCE_MS = 1500;
/** How many leases the bus has for bringing what the roster already tells. */
const LEASES_FOR_THE_BUS = 0.2;
const RETRY_MS = 500;
/** Rooms that are compared at the same time. */
const ROOMS_AT_ONCE = 50;
/** Where so many snapshots in a row are overtaken, the announcements themselves tell enough of the room. */
const MAX_SNAPSHOTS = 20;

/**
 * Redis is back, or turned out to have lost this node: own seats are entered again, then every room that clients
 * here look at is compared with the roster. Who came is shown at once; who is missing only after a while, since
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
    if (this.#synced) this.#parts.log.warn({}, 'Redis is away: not ready, and commands are refused');
    this.#synced = false;
  }

  async back(): Promise<void> {
    const generation = ++this.#generation;
    await this.#tryUntilDone(generation, async () => {
      await this.#parts.roster.restore();
      await this.#reconcileAll(generation, false);
    });
    if (!this.#isCurrent(generation)) return;
    if (!this.#synced) this.#parts.log.info({}, 'Redis is back: ready, and members are back');
    this.#synced = true;
    this.#scheduleRemovals(generation);
  }

  stop(): void {
    this.#stopped.abort();
    this.#generation++;
    if (this.#removals !== null) clearTimeout(this.#removals);
  }

  #isCurrent(generation: number): boolean {
    return generation === this.#generation && !this.#stopped.signal.aborted;
  }

  /** A step that failed without a new outage (one command timed out) would otherwise leave somebody shown for ever. */
  async #tryUntilDone(generation: number, step: () => Promise<void>): Promise<void> {
    while (this.#isCurrent(generation)) {
      try {
        return await step();
      } catch (error) {
        if (!(error instanceof UnavailableError))
          this.#parts.log.error({ err: error }, 'putting the rooms right failed, trying again');
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
      }
    }
  }

  #scheduleRemovals(generation: number): void {
    if (this.#removals !== null) clearTimeout(this.#removals);
    const patienceMs = Math.max(LEASES_BEFORE_LEAVING * this.#parts.settings.nodeTtlMs, LEAST_PATIENCE_MS);
    this.#removals = setTimeout(() => {
      void this.#tryUntilDone(generation, () => this.#reconcileAll(generation, true));
    }, patienceMs);
  }

  async #reconcileAll(generation: number, removals: boolean): Promise<void> {
    const rooms = this.#parts.views.rooms();
    for (let i = 0; i < rooms.length && this.#isCurrent(generation); i += ROOMS_AT_ONCE) {
      const batch = rooms.slice(i, i + ROOMS_AT_ONCE);
      await Promise.all(batch.map((room) => this.#reconcile(generation, room, removals)));
    }
  }

  async #reconcile(generation: number, room: string, removals: boolean): Promise<void> {
    for (let asked = 0; asked < MAX_SNAPSHOTS; asked++) {
      const snapshot = await this.#parts.roster.members(room);
      await this.#letBusCatchUp(room, snapshot.revision);
      if (!this.#isCurrent(generation)) return;
      const view = this.#parts.views.get(room);
      const changes = view === null ? [] : view.reconcile(snapshot, removals);
      if (changes === null) continue;
      const position = this.#parts.bus.position();
      for (const change of changes) announce(this.#parts, room, change, position);
      return;
    }
    this.#parts.log.warn({ room }, 'a room changes faster than it can be compared with the roster');
  }

  /**
   * What the bus still brings keeps its place among the room's messages, as on every other node; only what it has
   * lost is told out of place. Right after an outage there is no order to keep, and nothing waits.
   */
  async #letBusCatchUp(room: string, revision: number): Promise<void> {
    const view = this.#parts.views.get(room);
    if (!this.#synced || view === null || view.revision === null) return;
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), LEASES_FOR_THE_BUS * this.#parts.settings.nodeTtlMs);
    await view.passed(revision, patience.signal).catch(() => {
      // It was lost: the comparison tells it.
    });
    clearTimeout(timer);
  }
}

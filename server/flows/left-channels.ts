/** So long after leaving a channel its return is the same visit: a page's components were mounted anew. */
const SAME_VISIT_MS = 2_000;
/** So long it is remembered that a channel was live here, in milliseconds; as long as a homecoming takes. */
const REMEMBERED_MS = 5_000;
/** Channels that are remembered at most: a client may leave one after another. */
const MAX_CHANNELS = 1_000;

/** Where a connection left its channels, for a moment. */
export class LeftChannels {
  readonly #left = new Map<string, { readonly position: string; readonly atMs: number }>();

  add(wire: string, position: string): void {
    this.#forget();
    this.#left.delete(wire);
    this.#left.set(wire, { position, atMs: Date.now() });
  }

  /** @returns where it goes on; null: it was left too long ago; undefined: it is not remembered as left */
  placeOf(wire: string): string | null | undefined {
    this.#forget();
    const left = this.#left.get(wire);
    if (left === undefined) return undefined;
    return Date.now() - left.atMs <= SAME_VISIT_MS ? left.position : null;
  }

  /** In the order of leaving: the oldest first. */
  #forget(): void {
    const oldestMs = Date.now() - REMEMBERED_MS;
    for (const [wire, { atMs }] of this.#left) {
      if (atMs >= oldestMs && this.#left.size < MAX_CHANNELS) return;
      this.#left.delete(wire);
    }
  }
}

/** How often each channel is followed: the last leaver of one room must not silence another on the same channel. */
export class FollowCount {
  readonly #counts = new Map<string, number>();

  /** @returns the count right after */
  add(channel: string): number {
    const count = (this.#counts.get(channel) ?? 0) + 1;
    this.#counts.set(channel, count);
    return count;
  }

  /** @returns the count right after; 0 also where there was none */
  remove(channel: string): number {
    const count = (this.#counts.get(channel) ?? 0) - 1;
    if (count > 0) this.#counts.set(channel, count);
    else this.#counts.delete(channel);
    return Math.max(count, 0);
  }

  has(channel: string): boolean {
    return this.#counts.has(channel);
  }
}

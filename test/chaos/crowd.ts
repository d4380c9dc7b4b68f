import type { SeededRandom } from '../support/seeded-random.ts';
import type { Visitor } from './visitor.ts';

/** What visitors do by their own will, a little of it in each tenth of a second. */
export class Crowd {
  readonly visitors: readonly Visitor[];
  readonly #random: SeededRandom;
  readonly #away = new Set<NodeJS.Timeout>();

  constructor(visitors: readonly Visitor[], random: SeededRandom) {
    this.visitors = visitors;
    this.#random = random;
  }

  /** Whoever is not there comes. */
  enter(): void {
    for (const visitor of this.visitors) if (!visitor.wanted) visitor.enter();
  }

  act(): void {
    for (const visitor of this.visitors) {
      if (!visitor.wanted) continue;
      const roll = this.#random.next();
      if (roll < 0.08) visitor.speak();
      else if (roll < 0.083) visitor.cut();
      else if (roll < 0.087) visitor.flicker();
      else if (roll < 0.09) this.#goAway(visitor);
    }
  }

  /** Who is away stays away, so that the truth at a quiet point is not everybody. */
  rest(): void {
    for (const timer of this.#away) clearTimeout(timer);
    this.#away.clear();
  }

  leave(): void {
    this.rest();
    for (const visitor of this.visitors) visitor.leave();
  }

  #goAway(visitor: Visitor): void {
    visitor.leave();
    const timer = setTimeout(
      () => {
        this.#away.delete(timer);
        visitor.enter();
      },
      this.#random.between(200, 4_000),
    );
    this.#away.add(timer);
  }
}

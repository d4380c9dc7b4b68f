import type { MeasureKey } from './measures.ts';

/** What every round of every target measured, and every delivery counted. */
export class Results {
  readonly #values = new Map<MeasureKey, Map<string, number[]>>();
  readonly #deliveries = new Map<string, { due: number; lost: number }>();

  note(measure: MeasureKey, target: string, value: number): void {
    const targets = this.#values.get(measure) ?? new Map<string, number[]>();
    this.#values.set(measure, targets.set(target, [...(targets.get(target) ?? []), value]));
  }

  count(target: string, due: number, lost: number): void {
    const sum = this.#deliveries.get(target) ?? { due: 0, lost: 0 };
    this.#deliveries.set(target, { due: sum.due + due, lost: sum.lost + lost });
  }

  /** One value for each round. */
  values(measure: MeasureKey, target: string): readonly number[] {
    return this.#values.get(measure)?.get(target) ?? [];
  }

  get deliveries(): ReadonlyMap<string, { readonly due: number; readonly lost: number }> {
    return this.#deliveries;
  }

  toJSON(): object {
    const values = [...this.#values].map(([measure, targets]) => [measure, Object.fromEntries(targets)]);
    return { deliveries: Object.fromEntries(this.#deliveries), values: Object.fromEntries(values) };
  }
}

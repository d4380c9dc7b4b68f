import { Gauge, type Registry } from 'prom-client';
import { LabelBound } from './label-bound.ts';

/** A gauge of what is held now (connections, subscriptions), by one label; counted here and shown when read. */
export class HeldGauge {
  readonly #counts = new Map<string, number>();
  readonly #bound = new LabelBound();

  constructor(registry: Registry, options: { name: string; help: string; label: string }) {
    const counts = this.#counts;
    new Gauge({
      name: options.name,
      help: options.help,
      labelNames: [options.label],
      registers: [registry],
      collect() {
        for (const [value, count] of counts) this.set({ [options.label]: value }, count);
      },
    });
  }

  add(value: string, change: 1 | -1): void {
    const label = this.#bound.of(value);
    this.#counts.set(label, (this.#counts.get(label) ?? 0) + change);
  }

  /** Every label value that was ever held, zeros too. */
  snapshot(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }
}

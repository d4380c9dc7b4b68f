import type { MeasureKey } from './measures.ts';
import type { Results } from './results.ts';
import { type Stage, withServer } from './stage.ts';
import type { Target } from './targets/target.ts';

/** What a scenario tells of the target that it runs against. */
export interface Notes {
  note(measure: MeasureKey, value: number): void;
  /** @param lost of those that were due */
  count(due: number, lost: number): void;
}

/** One target of a scenario, once: a server is started for it and ended behind it. */
export interface Act {
  readonly target: string;
  play(results: Results): Promise<void>;
}

export interface Scenario {
  /** For BENCH_ONLY. */
  readonly key: string;
  readonly acts: readonly Act[];
}

export function scenario<T extends Target>(
  key: string,
  targets: readonly T[],
  run: (target: T, stage: Stage, notes: Notes) => Promise<void>,
): Scenario {
  const acts = targets.map((target) => ({
    target: target.name,
    play: (results: Results) =>
      withServer(target, (stage) =>
        run(target, stage, {
          note: (measure, value) => results.note(measure, target.name, value),
          count: (due, lost) => results.count(target.name, due, lost),
        }),
      ),
  }));
  return { key, acts };
}

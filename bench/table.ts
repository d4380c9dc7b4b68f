import { median, spread } from './figures.ts';
import type { Goal } from './goals.ts';
import { MEASURES, type MeasureKey } from './measures.ts';
import type { Results } from './results.ts';

/** How each goal was met: the ratio of each round, since the machine's speed drifts between them. */
export function goalTable(results: Results, goals: readonly Goal[]): string {
  const rows = goals.flatMap(({ measure, target, base, must, aim }) => {
    const own = results.values(measure, target);
    const others = results.values(measure, base);
    const ratios = own
      .flatMap((value, round) => value / (others[round] ?? Number.NaN))
      .filter(Number.isFinite);
    if (ratios.length === 0) return [];
    const ratio = median(ratios);
    const verdict =
      lost(results, target) || ratio > must ? 'MISSED' : ratio > aim ? 'met' : 'met, and the aim';
    const { title } = MEASURES[measure];
    return [[title, `${target} / ${base}`, `${ratio.toFixed(2)} (${spread(ratios, 2)})`, must, aim, verdict]];
  });
  return markdown(['what', 'of whom', 'ratio', 'must', 'aim', ''], rows);
}

/** What loses events is not cheap. */
function lost(results: Results, target: string): boolean {
  return (results.deliveries.get(target)?.lost ?? 0) > 0;
}

/** Every figure of these targets: medians, with the smallest and largest. */
export function figureTable(results: Results, targets: readonly string[]): string {
  const rows = (Object.keys(MEASURES) as MeasureKey[]).flatMap((key) => {
    const { title, digits } = MEASURES[key];
    const cells = targets.map((target) => {
      const values = results.values(key, target);
      return values.length === 0 ? '' : `${median(values).toFixed(digits)} (${spread(values, digits)})`;
    });
    return cells.every((cell) => cell === '') ? [] : [[title, ...cells]];
  });
  return markdown(['', ...targets], rows);
}

/** Every delivery was counted. */
export function deliveryTable(results: Results): string {
  const rows = [...results.deliveries].map(([target, { due, lost }]) => [target, due, lost]);
  return markdown(['', 'deliveries due', 'lost'], rows);
}

function markdown(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

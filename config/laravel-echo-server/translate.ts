import type { Mistake } from '../mistake.ts';
import { type Fate, kept } from './old-option.ts';
import { oldOptions } from './option-table.ts';
import { type OldSources, readOldConfig } from './read-old-config.ts';

/** What became of one option. */
export interface OptionFate extends Fate {
  /** As the person wrote it: with its file, or its variable. */
  readonly option: string;
}

export interface Translation {
  /** In the table's order; of options that were not given only those whose default is not ours. */
  readonly fates: readonly OptionFate[];
  readonly mistakes: readonly Mistake[];
}

/** laravel-echo-server knows no tokens; without this a missing key would mean development mode, or no start. */
const NO_TOKENS: OptionFate = {
  option: 'tokens (not known there)',
  ...kept(
    { 'jwt.required': false },
    'no token opens anything until a key is set (YAMABIKO_JWT_SECRET); Laravel alone decides',
  ),
};

/** A laravel-echo-server.json in our words. */
export function translate(sources: OldSources): Translation {
  const { old, mistakes: nameMistakes, nameOf } = readOldConfig(sources);
  const mistakes = [...nameMistakes];
  const fates: OptionFate[] = [];
  for (const { path, given, absent } of oldOptions) {
    const value = old.get(path);
    const fate = value === undefined ? absent?.(old) : given(value, old);
    if (fate === undefined) continue;
    const option = nameOf(path);
    if (fate.verdict === 'wrong') mistakes.push({ setting: option, value: null, problem: fate.says });
    else fates.push({ option, ...fate });
  }
  return { fates: [...fates, NO_TOKENS], mistakes };
}

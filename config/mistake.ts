/** One thing wrong with the settings, told so that it can be put right without looking anything up. */
export interface Mistake {
  /** The setting as the person wrote it: variable, key of the file, or flag. */
  readonly setting: string;
  /** What was given, masked where secret; null where nothing was, or where it does not help. */
  readonly value: string | null;
  /** Goes on after the name and a colon: "must be an integer from 0 to 65535". */
  readonly problem: string;
}

/** All mistakes, a line for each, for the terminal. */
export function describeMistakes(mistakes: readonly Mistake[]): string {
  const count = mistakes.length === 1 ? 'a setting is wrong' : `${mistakes.length} settings are wrong`;
  const lines = mistakes.map(({ setting, value, problem }) => {
    const given = value === null ? '' : value === '' ? ' (got nothing)' : ` (got ${value})`;
    return `  ${setting}: ${problem}${given}`;
  });
  return [`${count}:`, ...lines].join('\n');
}

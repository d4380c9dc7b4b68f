/**
 * What becomes of an option of laravel-echo-server. `kept`: as before. `changed`: works, and differently, which the start
 * warns of. `dropped`: nothing is in its place, and nothing of it is missed. `wrong`: it cannot be run so.
 */
export type Verdict = 'kept' | 'changed' | 'dropped' | 'wrong';

export interface Fate {
  readonly verdict: Verdict;
  /** Words for a person; of `wrong` they go on after the option's name. */
  readonly says: string;
  /** By our setting's path: raw values, as our config file has them. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A laravel-echo-server.json and its variables, put together as that server does it. */
export interface OldConfig {
  /** @returns undefined where the option is not given, or given as null or '' */
  get(path: string): unknown;
  /** As `get`, where it is text that is not empty. */
  text(path: string): string | undefined;
}

export interface OldOption {
  /** Dotted: `databaseConfig.redis.host`. */
  readonly path: string;
  /** @param value neither undefined, null nor '' */
  given(value: unknown, old: OldConfig): Fate;
  /** What its default becomes, where that is not ours. */
  absent?(old: OldConfig): Fate;
}

type Settings = Fate['settings'];

export const kept = (settings: Settings, says = ''): Fate => ({ verdict: 'kept', says, settings });
export const changed = (says: string, settings: Settings = {}): Fate => ({
  verdict: 'changed',
  says,
  settings,
});
export const dropped = (says: string): Fate => ({ verdict: 'dropped', says, settings: {} });
export const wrong = (problem: string): Fate => ({ verdict: 'wrong', says: problem, settings: {} });

/** An option whose fate is the same whatever its value. */
export const always = (path: string, fate: Fate): OldOption => ({ path, given: () => fate });

/** True, as laravel-echo-server takes it from the file and from a variable. */
export function isOn(value: unknown): boolean {
  return value === true || value === 'true';
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import type { OptionFate } from './laravel-echo-server/translate.ts';
import type { Mistake } from './mistake.ts';
import { applyRules } from './rules.ts';
import type { Section } from './setting.ts';
import { allSettings, type Config, type RawConfig, type SectionName, settings } from './settings.ts';
import { type Given, nameOf, type Origin, readSources } from './sources.ts';

export interface LoadInput {
  /** What commander read, by the setting's path (`server.port`). */
  readonly flags?: Readonly<Record<string, string | undefined>>;
  /** `--config`; relative to `cwd`. Default: `yamabiko.config.json` if it is there. */
  readonly configFile?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Whether standard output is a terminal: decides `log.format` where it is not set. Default false. */
  readonly terminal?: boolean;
}

/** By the setting's path: where its value came from. */
export type Origins = Readonly<Record<string, Origin>>;

export type Loaded =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly origins: Origins;
      readonly warnings: readonly string[];
      /** Where the config file is laravel-echo-server's: what became of each of its options; else none. */
      readonly fates: readonly OptionFate[];
    }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

/**
 * Puts together what is in force: defaults, config file, `.env`, environment, flags; later ones win. Every value
 * given is checked, also one that another overrides, and all mistakes are told at once.
 */
export function loadConfig({ flags = {}, configFile, env, cwd, terminal = false }: LoadInput): Loaded {
  const sources = readSources({ flags, configFile, env, cwd });
  const { given, mistakes: nameMistakes, warnings, nodeEnv, fates } = sources;
  const { values, origins, mistakes: valueMistakes } = readValues(given);
  const ruled = applyRules(values, {
    nodeEnv,
    cwd,
    terminal,
    isGiven: (path) => origins[path]?.source !== 'default',
    nameOf: (path) => writtenName(path, origins),
  });
  const wrong = new Set(valueMistakes.map(({ setting }) => setting));
  const mistakes = [
    ...nameMistakes,
    ...valueMistakes,
    // A setting whose value could not be read stands at its default here: what the rules say of it misleads.
    ...ruled.mistakes.filter(({ setting }) => !wrong.has(setting)),
  ];
  if (mistakes.length > 0) return { ok: false, mistakes };
  for (const path of ruled.chosen) origins[path] = { source: 'development mode', name: path };
  return {
    ok: true,
    config: deepFreeze(ruled.config),
    origins,
    warnings: [...warnings, ...ruled.warnings],
    fates,
  };
}

interface Values {
  readonly values: RawConfig;
  readonly origins: Record<string, Origin>;
  readonly mistakes: readonly Mistake[];
}

function readValues(given: readonly Given[]): Values {
  const values: Record<string, Record<string, unknown>> = {};
  for (const [section, rows] of Object.entries<Section>(settings))
    values[section] = Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, row.default]));
  const origins: Record<string, Origin> = {};
  for (const { path } of allSettings) origins[path] = { source: 'default', name: path };
  const mistakes: Mistake[] = [];
  for (const one of given) {
    const { section, name, path, setting } = one.named;
    const result = setting.schema.safeParse(one.raw);
    if (result.success) (values[section] ?? {})[name] = result.data;
    else mistakes.push(...mistakesOf(one, setting.tellsParts ? result.error.issues : []));
    origins[path] = one.origin;
  }
  return { values: values as Record<SectionName, unknown> as RawConfig, origins, mistakes };
}

function mistakesOf({ named, raw, origin }: Given, parts: readonly Part[]): Mistake[] {
  const name = nameOf(origin);
  if (parts.length === 0)
    return [
      { setting: name, value: named.setting.showRaw(raw), problem: `must be ${named.setting.allowed}` },
    ];
  return parts.map(({ path, message }) => ({
    setting:
      path.length === 0 ? name : [named.path, ...path.map(String)].join('.') + name.slice(named.path.length),
    value: null,
    problem: message,
  }));
}

interface Part {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function writtenName(path: string, origins: Origins): string {
  const origin = origins[path];
  if (origin !== undefined && origin.source !== 'default') return nameOf(origin);
  return allSettings.find((named) => named.path === path)?.setting.env ?? path;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}

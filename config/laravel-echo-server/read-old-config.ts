import type { Mistake } from '../mistake.ts';
import { nearestName } from '../nearest-name.ts';
import { isObject, type OldConfig } from './old-option.ts';
import { oldOptions, oldVariables } from './option-table.ts';

const PREFIX = 'LARAVEL_ECHO_SERVER_';
const PATHS = oldOptions.map(({ path }) => path);
const TOP = [...new Set(PATHS.map((path) => path.split('.')[0] ?? ''))];

type Variables = Readonly<Record<string, string | undefined>>;

export interface OldSources {
  readonly parsed: Readonly<Record<string, unknown>>;
  /** The config file's name. */
  readonly file: string;
  readonly dotenv: Variables;
  readonly env: Variables;
}

export interface ReadOldConfig {
  readonly old: OldConfig;
  readonly mistakes: readonly Mistake[];
  /** An option as the person wrote it: with its file, or its variable. */
  nameOf(path: string): string;
}

/** Whether an object that was read from a config file is a laravel-echo-server.json: our sections have other names. */
export function isOldConfig(parsed: Readonly<Record<string, unknown>>, file: string): boolean {
  return (
    /(^|[\\/])laravel-echo-server[^\\/]*$/.test(file) || Object.keys(parsed).some((key) => TOP.includes(key))
  );
}

/** Flattens the file, puts the variables over it, and finds what no option is called. */
export function readOldConfig({ parsed, file, dotenv, env }: OldSources): ReadOldConfig {
  const values = new Map<string, unknown>();
  const names = new Map<string, string>();
  const mistakes: Mistake[] = [];
  flatten(parsed, '', file, values, mistakes);
  for (const [name, raw] of Object.entries({ ...dotenv, ...env })) {
    if (!name.startsWith(PREFIX) || raw === undefined || raw === '') continue;
    const path = oldVariables[name];
    const written = env[name] === undefined ? `${name} (.env)` : name;
    if (path === undefined) mistakes.push(unknown(written, nearestName(name, Object.keys(oldVariables))));
    else {
      values.set(path, referenced(raw, { ...dotenv, ...env }));
      names.set(path, written);
    }
  }
  const get = (path: string) => {
    const value = values.get(path);
    return value === null || value === '' ? undefined : value;
  };
  const text = (path: string) => {
    const value = get(path);
    return typeof value === 'string' ? value : undefined;
  };
  return {
    old: { get, text },
    mistakes,
    nameOf: (path) => names.get(path) ?? `${path} (${values.has(path) ? file : `not in ${file}`})`,
  };
}

function flatten(
  object: Readonly<Record<string, unknown>>,
  parent: string,
  file: string,
  values: Map<string, unknown>,
  mistakes: Mistake[],
): void {
  for (const [key, value] of Object.entries(object)) {
    const path = parent + key;
    const isGroup = PATHS.some((known) => known.startsWith(`${path}.`));
    if (!isGroup && !PATHS.includes(path)) {
      const siblings = PATHS.filter((known) => known.startsWith(parent)).map(
        (known) => known.slice(parent.length).split('.')[0] ?? '',
      );
      const nearest = nearestName(key, siblings);
      mistakes.push(unknown(`${path} (${file})`, nearest && parent + nearest));
      continue;
    }
    values.set(path, value);
    if (!isGroup || value === null) continue;
    if (isObject(value)) flatten(value, `${path}.`, file, values, mistakes);
    else if (!(path === 'databaseConfig.redis' && typeof value === 'string'))
      mistakes.push({ setting: `${path} (${file})`, value: null, problem: 'must be an object of options' });
  }
}

/** A variable that names another: `${REDIS_HOST}`. */
function referenced(raw: string, variables: Variables): string {
  const name = /\$\{(.*?)\}/.exec(raw)?.[1];
  return name === undefined ? raw : (variables[name] ?? '');
}

function unknown(setting: string, nearest: string | null): Mistake {
  const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
  return { setting, value: null, problem: `is no option of laravel-echo-server${hint}` };
}

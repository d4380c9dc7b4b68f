import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse as parseDotenv } from 'dotenv';
import { isOldConfig } from './laravel-echo-server/read-old-config.ts';
import { type OptionFate, translate } from './laravel-echo-server/translate.ts';
import type { Mistake } from './mistake.ts';
import { nearestName } from './nearest-name.ts';
import type { Section } from './setting.ts';
import { allSettings, type NamedSetting, settings } from './settings.ts';

/** Where a value came from. */
export interface Origin {
  readonly source: 'default' | 'development mode' | 'file' | 'old file' | '.env' | 'environment' | 'flag';
  /** The setting's name there: `server.port`, `YAMABIKO_PORT`, `--port`. */
  readonly name: string;
  /** The config file's name, where it is one. */
  readonly file?: string;
}

export interface Given {
  readonly named: NamedSetting;
  readonly raw: unknown;
  readonly origin: Origin;
}

export interface SourceInput {
  /** By the setting's path (`server.port`): what commander read. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  /** `--config`: must then exist. Without it `yamabiko.config.json` is read if it is there. */
  readonly configFile: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

export interface Sources {
  /** In order: later ones win. */
  readonly given: readonly Given[];
  readonly mistakes: readonly Mistake[];
  readonly warnings: readonly string[];
  /** NODE_ENV of the environment, else of `.env`. */
  readonly nodeEnv: string | undefined;
  /** Where the config file is laravel-echo-server's: what became of each of its options; else none. */
  readonly fates: readonly OptionFate[];
}

const DEFAULT_CONFIG_FILE = 'yamabiko.config.json';
const PREFIX = 'YAMABIKO_';
/**
 * What Kubernetes puts into every pod beside a Service that is named `yamabiko`, with `YAMABIKO_PORT=tcp://..` among it:
 * nobody's setting, and no reason not to start.
 */
const SERVICE_LINK =
  /^YAMABIKO_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)$/;
const SERVICE_LINK_PORT = /^(tcp|udp|sctp):\/\//;

/** Collects what was given, from all sources, unchecked save for names that no setting has. */
export function readSources({ flags, configFile, env, cwd }: SourceInput): Sources {
  const mistakes: Mistake[] = [];
  const warnings: string[] = [];
  const dotenv = readDotenv(cwd, mistakes);
  const file = readConfigFile(configFile, cwd, mistakes);
  const isOld = isOldConfig(file.parsed, file.name);
  const { fates, mistakes: oldMistakes } = isOld
    ? translate({ parsed: file.parsed, file: file.name, dotenv, env })
    : NOTHING_OLD;
  const fromFile = isOld ? readFates(fates) : readSections(file, mistakes);
  const overriding = [
    ...readVariables(dotenv, '.env', mistakes, warnings),
    ...readVariables(env, 'environment', mistakes, warnings),
    ...readFlags(flags),
  ].filter(isGiven);
  return {
    given: [...fromFile.filter(isGiven), ...overriding],
    mistakes: [...mistakes, ...oldMistakes],
    warnings: [...warnings, ...warningsOf(fates, overriding)],
    nodeEnv: env.NODE_ENV ?? dotenv.NODE_ENV,
    fates,
  };
}

const NOTHING_OLD = { fates: [], mistakes: [] };

function readFates(fates: readonly OptionFate[]): Given[] {
  return fates.flatMap(({ option, settings: ours }) =>
    Object.entries(ours).map(([path, raw]) => {
      const named = allSettings.find((candidate) => candidate.path === path);
      if (named === undefined) throw new Error(`${path} is no setting: a fault of the table of old options`);
      return { named, raw, origin: { source: 'old file', name: option } as const };
    }),
  );
}

/** What behaves differently, save where a setting of ours has settled it meanwhile. */
function warningsOf(fates: readonly OptionFate[], overriding: readonly Given[]): string[] {
  const settled = (path: string) => overriding.some(({ named }) => named.path === path);
  return fates
    .filter(({ verdict, settings: ours }) => {
      const paths = Object.keys(ours);
      return verdict === 'changed' && !(paths.length > 0 && paths.every(settled));
    })
    .map(({ option, says }) => `${option}: ${says}`);
}

/** The name as the person wrote it, with the place where a name alone does not tell it. */
export function nameOf({ source, name, file }: Origin): string {
  return source === 'file' ? `${name} (${file})` : source === '.env' ? `${name} (.env)` : name;
}

/** `YAMABIKO_PORT=` means "not set" to whoever writes a compose file; null in the config file likewise. */
function isGiven({ raw, named }: Given): boolean {
  if (raw === undefined || raw === null) return false;
  return named.setting.emptyIsValue || typeof raw !== 'string' || raw.trim() !== '';
}

function readFlags(flags: SourceInput['flags']): Given[] {
  return allSettings.flatMap((named) => {
    const name = named.setting.flag?.split(' ')[0];
    return name === undefined
      ? []
      : [{ named, raw: flags[named.path], origin: { source: 'flag', name } as const }];
  });
}

function readVariables(
  variables: Readonly<Record<string, string | undefined>>,
  source: '.env' | 'environment',
  mistakes: Mistake[],
  warnings: string[],
): Given[] {
  const known = allSettings.flatMap(({ setting }) => setting.env ?? []);
  return Object.entries(variables).flatMap(([name, raw]) => {
    if (!name.startsWith(PREFIX) || isServiceLink(name, raw)) return [];
    const named = allSettings.find(({ setting }) => setting.env === name);
    if (named !== undefined) return [{ named, raw, origin: { source, name } }];
    const nearest = nearestName(name, known);
    // Like nothing we know: another program's, or a newer Yamabiko's, and no reason not to start.
    if (nearest === null) warnings.push(`${nameOf({ source, name })} is no setting`);
    else mistakes.push(unknownName(nameOf({ source, name }), nearest));
    return [];
  });
}

function isServiceLink(name: string, raw: string | undefined): boolean {
  return SERVICE_LINK.test(name) || (name === 'YAMABIKO_PORT' && SERVICE_LINK_PORT.test(raw ?? ''));
}

function readDotenv(cwd: string, mistakes: Mistake[]): Readonly<Record<string, string>> {
  const text = readText(resolve(cwd, '.env'), '.env', false, mistakes);
  return text === null ? {} : parseDotenv(text);
}

interface ConfigFile {
  readonly name: string;
  readonly parsed: Record<string, unknown>;
}

function readConfigFile(configFile: string | undefined, cwd: string, mistakes: Mistake[]): ConfigFile {
  const file = configFile ?? DEFAULT_CONFIG_FILE;
  const name = configFile === undefined ? file : `--config ${file}`;
  const text = readText(resolve(cwd, file), name, configFile !== undefined, mistakes);
  const parsed = text === null ? null : parseJson(text, name, mistakes);
  // A file that could not be read says nothing, not even in laravel-echo-server's defaults.
  return parsed === null ? { name: '', parsed: {} } : { name: file, parsed };
}

function readSections({ name, parsed }: ConfigFile, mistakes: Mistake[]): Given[] {
  return Object.entries(parsed).flatMap(([section, values]) => readSection(section, values, name, mistakes));
}

function readSection(section: string, values: unknown, file: string, mistakes: Mistake[]): Given[] {
  const at = (path: string) => nameOf({ source: 'file', name: path, file });
  const rows = Object.hasOwn(settings, section) ? (settings as Record<string, Section>)[section] : undefined;
  if (rows === undefined) {
    mistakes.push(unknownName(at(section), nearestName(section, Object.keys(settings))));
    return [];
  }
  if (!isObject(values)) {
    mistakes.push({
      setting: at(section),
      value: null,
      problem: `must be an object of ${section}'s settings`,
    });
    return [];
  }
  return Object.entries(values).flatMap(([key, raw]) => {
    const path = `${section}.${key}`;
    const named = allSettings.find((candidate) => candidate.path === path);
    if (named !== undefined) return [{ named, raw, origin: { source: 'file', name: path, file } as const }];
    const nearest = nearestName(key, Object.keys(rows));
    mistakes.push(unknownName(at(path), nearest && `${section}.${nearest}`));
    return [];
  });
}

/** @returns null where the file is not there (a mistake if it must be) or cannot be read (always one) */
function readText(path: string, name: string, required: boolean, mistakes: Mistake[]): string | null {
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (required || code !== 'ENOENT')
      mistakes.push({ setting: name, value: null, problem: `cannot be read (${code})` });
    return null;
  }
}

function parseJson(text: string, name: string, mistakes: Mistake[]): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
    mistakes.push({ setting: name, value: null, problem: 'must hold one JSON object' });
  } catch (error) {
    // V8's own message may quote the text, and the text may hold a secret: only the line is told.
    const position = /position (\d+)/.exec((error as Error).message)?.[1];
    const line =
      position === undefined ? '' : ` (line ${text.slice(0, Number(position)).split('\n').length})`;
    mistakes.push({ setting: name, value: null, problem: `must be valid JSON${line}` });
  }
  return null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknownName(setting: string, nearest: string | null): Mistake {
  const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
  return { setting, value: null, problem: `is no setting${hint}` };
}

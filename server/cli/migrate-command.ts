import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { OptionFate } from '../../config/laravel-echo-server/translate.ts';
import { loadConfig } from '../../config/load-config.ts';
import { describeMistakes } from '../../config/mistake.ts';
import { allSettings, type NamedSetting } from '../../config/settings.ts';
import { CommandError, EXIT } from './command-error.ts';
import type { Terminal } from './terminal.ts';

export interface MigrateOptions {
  readonly out: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** It may hold the password of Redis and the keys of apps. */
const OWNER_ONLY = 0o600;

/**
 * Writes our config file from a laravel-echo-server.json and its variables.
 * @returns what became of each option, for the person at the terminal @throws CommandError
 */
export function migrate(file: string, options: MigrateOptions, terminal: Terminal): string {
  // Settings of ours must not hide what the file says; they stay in force at the start.
  const env = Object.fromEntries(
    Object.entries(terminal.env).filter(([name]) => name.startsWith('LARAVEL_ECHO_SERVER_')),
  );
  const loaded = loadConfig({ configFile: file, env, cwd: terminal.cwd });
  if (!loaded.ok) throw new CommandError(describeMistakes(loaded.mistakes), EXIT.usage);
  const { fates } = loaded;
  if (fates.length === 0)
    throw new CommandError(
      `${file} is no laravel-echo-server.json: it holds settings of ours already`,
      EXIT.usage,
    );
  if (options.dryRun !== true) write(resolve(terminal.cwd, options.out), configFileText(fates), options);
  return options.json === true ? jsonReport(file, options, fates) : report(file, options, fates);
}

function write(path: string, text: string, { out, force }: MigrateOptions): void {
  try {
    writeFileSync(path, text, { mode: OWNER_ONLY, flag: force === true ? 'w' : 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem =
      code === 'EEXIST'
        ? 'is there already: --force overwrites it, --out names another'
        : `cannot be written (${code})`;
    throw new CommandError(`${out} ${problem}`);
  }
}

/** Our config file, by section. */
function configFileText(fates: readonly OptionFate[]): string {
  const sections: Record<string, Record<string, unknown>> = {};
  for (const { named, raw } of settingsOf(fates)) {
    const value = named.setting.schema.parse(raw);
    const section = sections[named.section] ?? {};
    // Numbers were often written as text there; a list of pairs must stay one.
    section[named.name] = typeof value === 'number' || typeof value === 'boolean' ? value : raw;
    sections[named.section] = section;
  }
  return `${JSON.stringify(sections, null, 2)}\n`;
}

function settingsOf(fates: readonly OptionFate[]): { readonly named: NamedSetting; readonly raw: unknown }[] {
  return fates.flatMap(({ settings }) =>
    allSettings.flatMap((named) =>
      Object.hasOwn(settings, named.path) ? [{ named, raw: settings[named.path] }] : [],
    ),
  );
}

/** `server.port = 6001`, secrets masked. */
function shown(fate: OptionFate): string {
  return settingsOf([fate])
    .map(({ named: { path, setting }, raw }) => {
      const value = setting.show(setting.schema.parse(raw));
      return `${path} = ${typeof value === 'string' ? value || "''" : JSON.stringify(value)}`;
    })
    .join(', ');
}

function report(file: string, { out, dryRun }: MigrateOptions, fates: readonly OptionFate[]): string {
  const width = Math.max(...fates.map(({ option }) => option.length));
  const lines = fates.map((fate) => {
    const words = [shown(fate), fate.says].filter((part) => part !== '').join(': ');
    return `  ${fate.verdict.padEnd(7)}  ${fate.option.padEnd(width)}  ${words}`;
  });
  const changes = fates.filter(({ verdict }) => verdict === 'changed').length;
  return [
    `${file} -> ${dryRun === true ? `${out} (not written: --dry-run)` : out}`,
    '',
    ...lines,
    '',
    changes === 0
      ? 'Nothing behaves differently.'
      : `What is marked changed (${changes}) behaves differently: read it.`,
    `Start it with: yamabiko start${out === 'yamabiko.config.json' ? '' : ` --config ${out}`}`,
    'Ask what is still wrong with: yamabiko doctor',
    '',
  ].join('\n');
}

function jsonReport(file: string, { out, dryRun }: MigrateOptions, fates: readonly OptionFate[]): string {
  const options = fates.map((fate) => ({
    option: fate.option,
    verdict: fate.verdict,
    becomes: shown(fate),
    says: fate.says,
  }));
  return `${JSON.stringify({ file, out, written: dryRun !== true, options }, null, 2)}\n`;
}

import { type Command, Option } from 'commander';
import { loadConfig } from '../../config/load-config.ts';
import { describeMistakes } from '../../config/mistake.ts';
import { allSettings } from '../../config/settings.ts';
import { CommandError, EXIT } from './command-error.ts';
import type { Terminal } from './terminal.ts';

/** The flags of the settings table, in its order. */
const FLAGS = allSettings.flatMap(({ path, setting }) => {
  if (setting.flag === null) return [];
  const option = new Option(setting.flag, `${setting.doc.split(/[.;:] /)[0]} (${setting.env})`);
  return [{ path, option }];
});

/** `--config FILE`, for every command that reads settings. */
export function addConfigFlag(command: Command): Command {
  return command.option('-c, --config <file>', 'config file; default yamabiko.config.json, if it is there');
}

/** Every setting that has a flag. */
export function addSettingFlags(command: Command): Command {
  command.optionsGroup('Settings:');
  for (const { option } of FLAGS) command.addOption(option);
  return command;
}

/** What is in force for a command. @throws CommandError with all mistakes */
export function loadSettings(options: Readonly<Record<string, unknown>>, terminal: Terminal) {
  const text = (name: string) => {
    const value = options[name];
    return typeof value === 'string' ? value : undefined;
  };
  const loaded = loadConfig({
    flags: Object.fromEntries(FLAGS.map(({ path, option }) => [path, text(option.attributeName())])),
    configFile: text('config'),
    env: terminal.env,
    cwd: terminal.cwd,
    terminal: terminal.interactive,
  });
  if (!loaded.ok) throw new CommandError(describeMistakes(loaded.mistakes), EXIT.usage);
  return loaded;
}

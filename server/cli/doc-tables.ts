import type { Setting } from '../../config/setting.ts';
import { allSettings } from '../../config/settings.ts';
import { catalogue } from '../domain/catalogue.ts';

/** What `npm run docs` writes. A test compares it with the files, so that no table goes stale. */
const NOTE = '<!-- Written by `npm run docs`: change the code, not this file. -->';

const ADVICE = {
  never: 'do not repeat',
  later: 'try later',
  'new-token': 'come back with a new token',
} as const;

/** The settings of each section. */
function settingsTables(): string {
  const sections = [...new Set(allSettings.map(({ section }) => section))];
  return sections.map(settingsTable).join('\n\n');
}

function settingsTable(section: string): string {
  const rows = allSettings
    .filter((named) => named.section === section)
    .map(({ path, setting }) => {
      const names = [setting.env ?? 'config file only', setting.flag].filter((name) => name !== null);
      return row(
        code(path),
        names.map(code).join('<br>'),
        code(defaultText(setting)),
        allowed(setting),
        setting.doc,
      );
    });
  return [
    `### ${section}`,
    '',
    row('setting', 'variable, flag', 'default', 'allowed', 'what it does'),
    row('---', '---', '---', '---', '---'),
    ...rows,
  ].join('\n');
}

/** Every code of refusal, with each way that it is told. */
function codesTable(): string {
  const rows = Object.entries(catalogue).map(([name, { status, close, advice, when }]) =>
    row(code(name), String(status), close === null ? '' : String(close), ADVICE[advice], when),
  );
  return [
    row('code', 'status', 'raw WebSocket closes with', 'the client should', 'when'),
    row('---', '---', '---', '---', '---'),
    ...rows,
  ].join('\n');
}

export function settingsPage(): string {
  return `${NOTE}

# Settings

From the defaults, the config file (\`--config FILE\`, or \`yamabiko.config.json\` in the working directory), \`.env\` in the
working directory, environment variables and flags; later ones win. \`yamabiko config\` prints what is in force and where it
came from. Every mistake is told at the start, all at once.

In the config file a setting is \`section.name\`: \`{"server": {"port": 6001}}\`. Lists are arrays there, and separated by
commas elsewhere. An empty variable counts as not set, save for the prefixes. Secrets have no flags, since every user of a
machine can read the arguments of its processes.

Development mode: \`NODE_ENV\` is not \`production\`, and neither a secret nor a public key for tokens is set. Then the server
listens on this machine only, makes a secret for this run, and shows the demo.

${settingsTables()}
`;
}

export function codesPage(): string {
  return `${NOTE}

# Codes of refusal

Stable: more may be added, none changed, none used again. A code answers one command; where a close code stands beside it, it
can also end a raw WebSocket connection.

${codesTable()}
`;
}

/** @returns the text with what stands between `<!-- name -->` and `<!-- /name -->` replaced, if the markers are there */
function replaceBetween(text: string, name: string, replacement: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const start = text.indexOf(open);
  const end = text.indexOf(close, start);
  if (start < 0 || end < 0) return text;
  return `${text.slice(0, start + open.length)}\n${replacement}\n${text.slice(end)}`;
}

/** README with its tables as they must be. */
export function readmeWithTables(readme: string): string {
  return replaceBetween(replaceBetween(readme, 'settings', settingsTables()), 'codes', codesTable());
}

function defaultText({ default: value, defaultText: told, unit }: Setting<unknown>): string {
  if (told !== null) return told;
  const plain = Array.isArray(value) ? value.join(',') : String(value);
  return unit === null ? plain : `${plain} ${unit}`;
}

function allowed({ allowed: text, secret }: Setting<unknown>): string {
  return secret ? `${text}; secret` : text;
}

function code(text: string): string {
  return /^[\w.:,/*<> -]*$/.test(text) && !text.includes(': ') ? `\`${text}\`` : text;
}

function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

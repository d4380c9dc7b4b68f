import type { Origins } from '../../config/load-config.ts';
import { allSettings, type Config } from '../../config/settings.ts';
import { nameOf } from '../../config/sources.ts';

interface Row {
  readonly path: string;
  readonly value: unknown;
  readonly from: string;
  readonly env: string | null;
}

/** What is in force and where it came from, a line for each setting, secrets masked. */
export function renderConfig(config: Config, origins: Origins): string {
  const rows = rowsOf(config, origins);
  const cells = rows.map(({ path, value, from }) => [path, valueText(value), from] as const);
  const width = (column: 0 | 1) => Math.max(...cells.map((row) => row[column].length));
  const [first, second] = [width(0), Math.min(width(1), 48)];
  const lines: string[] = [`development mode: ${config.development ? 'yes' : 'no'}`];
  let section = '';
  for (const [path, value, from] of cells) {
    const [head = ''] = path.split('.');
    if (head !== section) lines.push('');
    section = head;
    lines.push(`${path.padEnd(first)}  ${value.padEnd(second)}  ${from}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The same for programs. */
export function renderConfigJson(config: Config, origins: Origins): string {
  const settings = Object.fromEntries(
    rowsOf(config, origins).map(({ path, value, from, env }) => [path, { value, from, env }]),
  );
  return `${JSON.stringify({ development: config.development, settings }, null, 2)}\n`;
}

function rowsOf(config: Config, origins: Origins): Row[] {
  return allSettings.map(({ path, section, name, setting }) => ({
    path,
    value: setting.show((config[section] as Record<string, unknown>)[name]),
    from: fromText(path, origins),
    env: setting.env,
  }));
}

function fromText(path: string, origins: Origins): string {
  const origin = origins[path];
  if (origin === undefined || origin.source === 'default') return 'default';
  return origin.source === 'development mode' ? origin.source : nameOf(origin);
}

function valueText(value: unknown): string {
  if (value === null) return '-';
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.join(', ');
  if (value === '') return "''";
  return typeof value === 'string' ? value : JSON.stringify(value);
}

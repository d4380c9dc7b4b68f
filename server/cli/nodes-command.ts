import type { Config } from '../../config/settings.ts';
import { CommandError } from './command-error.ts';
import { httpApi } from './http-api-client.ts';

interface Node {
  readonly id: string;
  readonly version: string;
  readonly uptime: number;
  readonly connections: number;
  readonly channels: number;
  readonly ready: boolean;
  readonly bus_lag_ms: number | null;
}

export interface NodesOptions {
  readonly url?: string;
  readonly json?: boolean;
}

/** The living nodes, as one of them sees them. @throws CommandError */
export async function listNodes({ url, json }: NodesOptions, config: Config): Promise<string> {
  const api = httpApi(config, url);
  const { nodes } = (await api.ask('GET', '/nodes')) as { nodes?: Node[] };
  if (!Array.isArray(nodes))
    throw new CommandError(`${api.origin} is no Yamabiko, or an old one: no list of nodes`);
  if (json === true) return `${JSON.stringify(nodes, null, 2)}\n`;
  const rows = nodes.map((node) => [
    node.id,
    node.version,
    uptimeText(node.uptime),
    String(node.connections),
    String(node.channels),
    node.bus_lag_ms === null ? '-' : `${node.bus_lag_ms} ms`,
    node.ready ? 'ready' : 'not ready',
  ]);
  return table([['NODE', 'VERSION', 'UPTIME', 'CONNECTIONS', 'CHANNELS', 'BUS LAG', 'STATE'], ...rows]);
}

function uptimeText(seconds: number): string {
  const units: readonly [string, number][] = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
  ];
  const [unit, size] = units.find(([, size]) => seconds >= size) ?? ['s', 1];
  return `${Math.floor(seconds / size)} ${unit}`;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

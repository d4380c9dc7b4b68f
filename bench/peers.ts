import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startNodeProcess } from './node-process.ts';
import type { Server } from './targets/target.ts';

const DIRECTORY = fileURLToPath(new URL('../../bench/peers/', import.meta.url));
const LOCK = `${DIRECTORY}package-lock.json`;
const INSTALLED = `${DIRECTORY}node_modules/.package-lock.json`;

/** What people would use instead, from npm, into a directory of its own: none of it is a dependency of ours. */
export function installPeers(): void {
  if (existsSync(INSTALLED) && statSync(INSTALLED).mtimeMs >= statSync(LOCK).mtimeMs) return;
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  const { status } = spawnSync('npm', args, { cwd: DIRECTORY, stdio: 'inherit' });
  if (status !== 0) throw new Error('npm could not install what is measured beside us');
}

export async function startPeer(script: string, args: readonly string[]): Promise<Server> {
  // laravel-echo-server dies of clients that leave in the midst of something; what is lost by it is counted.
  const child = startNodeProcess(DIRECTORY + script, args, {}, false);
  const line = await child.line(/listening on \d+/);
  return { child, port: Number(/\d+$/.exec(line)?.[0]) };
}

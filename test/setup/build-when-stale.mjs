/**
 * Builds what the tests run as a user would (CLI, connector, demo page), if `dist` is missing or older than its
 * sources: a test of an old build would pass or fail for nothing.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

const SOURCES = [
  'server',
  'config',
  'echo-connector',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
];
// The compiler writes every file anew, so one tells the time of the whole server's build.
const BUILT = ['dist/server/main.js', 'echo-connector/dist'];

/**
 * @param {string} path a file or folder, from the root
 * @returns {number[]} the mtimes (ms) of its files, without what is installed or built inside it
 */
function mtimes(path) {
  const entry = statSync(join(root, path), { throwIfNoEntry: false });
  if (entry === undefined) return [];
  if (!entry.isDirectory()) return [entry.mtimeMs];
  return readdirSync(join(root, path))
    .filter((name) => name !== 'node_modules' && name !== 'dist')
    .flatMap((name) => mtimes(join(path, name)));
}

const newestSourceMs = Math.max(...SOURCES.flatMap(mtimes));
if (BUILT.some((path) => Math.max(0, ...mtimes(path)) < newestSourceMs)) {
  console.log('Building: the sources are newer than what was built');
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Loaded, type LoadInput, loadConfig } from '../../../config/load-config.ts';
import { nameOf } from '../../../config/sources.ts';

export const SECRET = 'a-secret-that-has-32-bytes-or-so';
export const NEXT_SECRET = 'the-next-one-of-at-least-32-bytes';

/** A working directory of the test's own, with the files given. */
export function folderWith(files: Record<string, string>): string {
  const cwd = mkdtempSync(join(tmpdir(), 'yamabiko-config-'));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  return cwd;
}

type Given = Partial<Omit<LoadInput, 'cwd'>> & { files?: Record<string, string> };

export function load({ files = {}, env = {}, ...rest }: Given = {}): Loaded {
  return loadConfig({ cwd: folderWith(files), env, ...rest });
}

export function loaded(given: Given = {}) {
  const result = load(given);
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.mistakes)}`);
  return result;
}

/** What is in force with these variables. */
export function configOf(env: Record<string, string> = {}) {
  return loaded({ env }).config;
}

/** The mistakes told, as lines. */
export function mistakesOf(given: Given): string[] {
  const result = load(given);
  if (result.ok) throw new Error('expected mistakes, but everything was taken');
  return result.mistakes.map(({ setting, value, problem }) => `${setting}: ${problem} [${value}]`);
}

export function originOf(path: string, given: Given): string {
  const origin = loaded(given).origins[path];
  return origin === undefined ? 'none' : `${origin.source}: ${nameOf(origin)}`;
}

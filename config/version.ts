import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The version in package.json, which is one folder further up from dist/ than from the sources. */
export function readVersion(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let parent = dirname(folder); parent !== folder; folder = parent, parent = dirname(folder)) {
    const found = versionIn(join(folder, 'package.json'));
    if (found !== null) return found;
  }
  return 'unknown';
}

function versionIn(path: string): string | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return null; // Not in this folder: look one higher.
  }
  const { name, version } = JSON.parse(text) as { name?: unknown; version?: unknown };
  return name === 'yamabiko' && typeof version === 'string' ? version : null;
}

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What is put in place of what: ports and paths, and what a twin leaves out. */
export type Edits = Readonly<Record<string, string>>;

/**
 * A file of examples/deploy as this machine can run it.
 * @throws where the file no longer has what is to be replaced: the test would run something else than it says
 */
export function deployFile(name: string, edits: Edits = {}): string {
  const text = readFileSync(
    fileURLToPath(new URL(`../../../examples/deploy/${name}`, import.meta.url)),
    'utf8',
  );
  const wanted = Object.keys(edits);
  for (const part of wanted)
    if (!text.includes(part)) throw new Error(`examples/deploy/${name} has no ${JSON.stringify(part)}`);
  if (wanted.length === 0) return text;
  // In one pass: a port put in must not be taken for one to be replaced.
  const any = new RegExp(wanted.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|'), 'g');
  return text.replace(any, (part) => edits[part] ?? part);
}

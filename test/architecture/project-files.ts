import { type ExecFileException, execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The project's root folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

const run = promisify(execFile);

/** Runs a program; a failing one is an answer too. */
export async function output(
  program: string,
  args: readonly string[],
  cwd = root,
): Promise<{ readonly status: number; readonly text: string; readonly stdout: string }> {
  try {
    const { stdout, stderr } = await run(program, args, { cwd, maxBuffer: 64 * 1024 * 1024 });
    return { status: 0, text: stdout + stderr, stdout };
  } catch (error) {
    const {
      code,
      stdout = '',
      stderr = '',
      message,
    } = error as ExecFileException & { stdout?: string; stderr?: string };
    if (typeof code !== 'number') throw error;
    return { status: code, text: `${message}\n${stdout}${stderr}`, stdout };
  }
}

/** Files that git keeps, or would if they were added: paths from the root. */
export async function projectFiles(...patterns: string[]): Promise<string[]> {
  const { stdout } = await output('git', [
    'ls-files',
    '--cached',
    '--others',
    '--exclude-standard',
    '--',
    ...patterns,
  ]);
  const deleted = new Set((await output('git', ['ls-files', '--deleted'])).stdout.split('\n'));
  return [...new Set(stdout.split('\n'))].filter((file) => file !== '' && !deleted.has(file));
}

export function readProjectFile(path: string): Promise<string> {
  return readFile(join(root, path), 'utf8');
}

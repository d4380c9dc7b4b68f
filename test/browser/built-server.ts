import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const DIST = fileURLToPath(new URL('../../dist/server/', import.meta.url));

const START_MS = 30_000;

export interface BuiltServer {
  readonly url: string;
  readonly port: number;
  /** SIGTERM; resolves with the exit code when it has drained. */
  stop(): Promise<number | null>;
}

/**
 * The built server as `npm start` runs it, with no settings of whoever runs the tests: in development mode, unless
 * `settings` make it something else.
 */
export async function startBuiltServer(
  port = 0,
  settings: Record<string, string> = {},
): Promise<BuiltServer> {
  if (!existsSync(path.join(DIST, 'pages/demo/public/index.html')))
    throw new Error('The demo page is not built: run `npm run build` first');
  // Its own empty folder: a .env of the checkout must not decide what is tested.
  const cwd = await mkdtemp(path.join(tmpdir(), 'yamabiko-browser-'));
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [path.join(DIST, 'main.js'), 'start'], {
    cwd,
    env: { PATH, HOME, YAMABIKO_PORT: String(port), ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  // A test that gave up leaves no server behind.
  process.once('exit', () => child.kill('SIGKILL'));
  try {
    const url = await addressOf(child);
    return {
      url,
      port: Number(new URL(url).port),
      stop: async () => {
        child.kill('SIGTERM');
        const code = await ended;
        await rm(cwd, { recursive: true });
        return code;
      },
    };
  } catch (error) {
    child.kill('SIGKILL');
    await rm(cwd, { recursive: true });
    throw error;
  }
}

/** The address that the server prints, for a person or as JSON. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const read = (chunk: Buffer): void => {
      output += chunk;
      const match = /(http:\/\/127\.0\.0\.1:[0-9]+)["\s]/.exec(output);
      if (match?.[1] !== undefined) resolve(match[1]);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    setTimeout(() => reject(new Error(`No address within ${START_MS} ms:\n${output}`)), START_MS).unref();
    child.once('exit', (code) => reject(new Error(`The server ended with ${code}:\n${output}`)));
  });
}

import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that the system gives to whoever asks for any (from 32768 on, as Linux is shipped): each test file's
 * servers and connections have theirs from there, and would take one between two moments of ours.
 */
const RANGE = { from: 12_000, to: 32_000 };
const ATTEMPTS = 50;

/**
 * A port of 127.0.0.1 that was free a moment ago, for programs that cannot choose one themselves (php -S), and for
 * what is started again where it was.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = RANGE.from + Math.floor(Math.random() * (RANGE.to - RANGE.from));
    if (await isFree(port)) return port;
  }
  throw new Error(`none of ${ATTEMPTS} ports was free`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw err;
  }
  server.close();
  await once(server, 'close');
  return true;
}

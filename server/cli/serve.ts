import type { Logger } from '../logger/logger.ts';
import { EXIT } from './command-error.ts';

/** What `server.ts` builds. */
export interface Server {
  start(): Promise<{ readonly url: string }>;
  stop(): Promise<void>;
}

export interface ServeInput {
  readonly server: Server;
  readonly log: Logger;
  /** Time that the server takes for its drain, in milliseconds. */
  readonly drainMs: number;
  /** Called when the server listens. */
  readonly started: (url: string) => void;
  /** Called with what kept it from starting. */
  readonly failed: (error: unknown) => void;
}

/** What a stop may take beyond its drain before it counts as stuck, in milliseconds. */
const STOP_SLACK_MS = 5_000;

/**
 * Runs until SIGTERM or SIGINT (the latter as Ctrl-C sends it), then stops once: a second signal does not cut
 * the drain short, since Docker and a nervous hand send it too, and the clients would not be told.
 * @returns the exit code
 */
export async function serve({ server, log, drainMs, started, failed }: ServeInput): Promise<number> {
  const signal = nextSignal(log);
  const start = server.start().then(({ url }) => ({ url }));
  // A signal may come while the server still waits for something.
  const first = await Promise.race([start.catch((error: unknown) => ({ error })), signal]);
  if (typeof first !== 'string' && 'error' in first) {
    failed(first.error);
    await stopWithin(server, drainMs + STOP_SLACK_MS, log);
    return EXIT.failed;
  }
  if (typeof first !== 'string') started(first.url);
  else start.catch((error: unknown) => log.debug({ err: error }, 'the start was cut short'));
  log.info({ signal: await signal, drainMs }, 'stopping');
  const stopped = await stopWithin(server, drainMs + STOP_SLACK_MS, log);
  if (stopped) log.info({}, 'stopped');
  return stopped ? EXIT.done : EXIT.failed;
}

function nextSignal(log: Logger): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let count = 0;
    for (const name of ['SIGTERM', 'SIGINT'] as const)
      process.on(name, () => {
        count += 1;
        if (count > 1) log.info({ signal: name }, 'already stopping');
        resolve(name);
      });
  });
}

/** @returns whether it stopped in time and without a fault */
async function stopWithin(server: Server, limitMs: number, log: Logger): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), limitMs);
  });
  try {
    const outcome = await Promise.race([server.stop(), late]);
    if (outcome !== 'late') return true;
    log.error({ limitMs }, 'the stop took too long: giving up');
  } catch (error) {
    log.error({ err: error }, 'the stop failed');
  } finally {
    clearTimeout(timer);
  }
  return false;
}

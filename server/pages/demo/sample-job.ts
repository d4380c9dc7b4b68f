import { setTimeout as pause } from 'node:timers/promises';
import { type Rejection, reject } from '../../domain/outcome.ts';
import { type Publication, progressPayload } from './laravel-payload.ts';

export interface SampleJobDeps {
  publish(channel: string, payload: string): Promise<void>;
  readonly signal: AbortSignal;
  readonly logger: { warn(fields: object, message: string): void };
  /** In milliseconds. Default 150. */
  readonly jobStepMs?: number;
}

export interface SampleJobs {
  /** Starts one job and returns its first step. `limit_reached` while too many run. */
  start(total: number): (Publication & { readonly title: string }) | Rejection;
}

const MAX_RUNNING = 3;
const DEFAULT_STEP_MS = 150;

/** Laravel's `SampleJobService`, run here: publishes step 1 to `total`, then it is done. */
export function createSampleJobs({ publish, signal, logger, jobStepMs }: SampleJobDeps): SampleJobs {
  let started = 0;
  let running = 0;

  const run = async (title: string, total: number): Promise<void> => {
    for (let cursor = 1; cursor <= total; cursor++) {
      if (cursor > 1) await pause(jobStepMs ?? DEFAULT_STEP_MS, undefined, { signal });
      const { channel, payload } = progressPayload(title, cursor, total);
      await publish(channel, payload);
    }
  };

  const runToItsEnd = async (title: string, total: number): Promise<void> => {
    running++;
    try {
      await run(title, total);
    } catch (error) {
      // A job has nobody to answer to. It ends with the server, or when the bus is away.
      if (!signal.aborted) logger.warn({ err: error, job: title }, 'a sample job ended early');
    } finally {
      running--;
    }
  };

  return {
    start(total) {
      if (signal.aborted) return reject('restarting', 'the server is stopping');
      if (running >= MAX_RUNNING) return reject('limit_reached', `${MAX_RUNNING} jobs run already`);
      const title = `Sample job ${++started}`;
      void runToItsEnd(title, total);
      return { title, ...progressPayload(title, 1, total) };
    },
  };
}

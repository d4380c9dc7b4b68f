import type { FlowLog } from './parts.ts';

/** Stops parts one after the other. Never rejects. */
export async function stopInTurn(
  steps: readonly (readonly [part: string, step: () => Promise<void> | void])[],
  log: Pick<FlowLog, 'error'>,
): Promise<void> {
  for (const [part, step] of steps) {
    try {
      await step();
    } catch (err) {
      // The others must stop all the same, the broker above all: seats not given up wait for the lease.
      log.error({ err, part, stage: 'stop' }, 'a part failed to stop');
    }
  }
}

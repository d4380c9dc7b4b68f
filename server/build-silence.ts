import type { Config } from '../config/settings.ts';
import { sampleInTurn } from './broker/strays/sample-in-turn.ts';
import { SilenceBreaker, type SilenceParts } from './flows/break-silence.ts';
import type { Hub } from './hub/hub.ts';

/** What says why nothing arrives; without Redis it looks at refusals alone. */
export function buildSilence(
  { log: { explainMs }, redis: { url, ...redis } }: Config,
  { hub, ...rest }: Pick<SilenceParts, 'meters' | 'log'> & { readonly hub: Hub },
): SilenceBreaker {
  return new SilenceBreaker({
    ...rest,
    intervalMs: explainMs,
    prefix: redis.prefix,
    joined: () => hub.counts(),
    sample: async (intervalMs, signal) =>
      url === null ? null : sampleInTurn({ ...redis, url }, intervalMs, signal),
  });
}

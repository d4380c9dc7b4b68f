import { deliverBroadcast } from './deliver-broadcast.ts';
import type { Parts } from './parts.ts';
import type { OutageResync } from './resync-after-outage.ts';

/** Hands on what the bus brings and tells. Called once, before the bus starts. */
export function listenToBus(parts: Parts, resync: OutageResync): void {
  const { bus, roster, meters, log } = parts;
  bus.listen({
    deliver: (channel, payload, position) => deliverBroadcast(parts, channel, payload, position),
    gap: (reason) => {
      meters.busGap(reason);
      log.warn({ reason }, 'broadcasts may have been lost');
    },
    readiness: (ready) => {
      meters.busReady(ready);
      if (ready) void resync.back();
      else resync.outage();
    },
  });
  roster.onRestored(() => void resync.back());
}

/** What `/health/ready` answers. Ready means that a probe came back, not that a socket is open. */
export function readiness(
  { bus, connections }: Parts,
  resync: OutageResync,
): { readonly ready: boolean; readonly reason: string | null } {
  if (connections.draining) return { ready: false, reason: 'restarting' };
  if (!bus.ready() || !resync.synced) return { ready: false, reason: 'redis' };
  return { ready: true, reason: null };
}

import type { GapReason } from '../broker/bus/bus.ts';
import { deliverBroadcast } from './deliver-broadcast.ts';
import type { Parts } from './parts.ts';
import type { OutageResync } from './resync-after-outage.ts';

/**
 * Hands on what the bus brings and tells. Called once, before the bus starts.
 *
 * A gap is counted and told when it opens, to every client that can hear it at its place in its events, and logged
 * with its length when the bus is ready again. One that is told while the bus is ready is over: a log knows by the
 * places of what it holds that something between them is missing.
 */
export function listenToBus(parts: Parts, resync: OutageResync): void {
  const { bus, roster, hub, meters, log } = parts;
  let open: { readonly reason: GapReason; readonly sinceMs: number } | null = null;
  bus.listen({
    deliver: (channel, payload, position) => deliverBroadcast(parts, channel, payload, position),
    gap: (reason, position) => {
      const ongoing = !bus.ready();
      if (ongoing) open ??= { reason, sinceMs: Date.now() };
      meters.busGap(reason);
      log.warn({ reason, ongoing }, 'broadcasts may have been lost');
      hub.deliverEverywhere({ type: 'gap', reason }, position);
      // Comings and goings may have been lost in it as well.
      if (!ongoing) void resync.back();
    },
    readiness: (ready) => {
      meters.busReady(ready);
      if (!ready) return resync.outage();
      if (open !== null) {
        const lengthMs = Date.now() - open.sinceMs;
        log.warn({ reason: open.reason, lengthMs }, 'the gap is over: what was published in it is lost');
      }
      open = null;
      void resync.back();
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

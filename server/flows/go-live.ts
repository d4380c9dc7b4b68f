import type { Resumption } from '../broker/bus/bus.ts';
import type { Connection } from '../connection/connection.ts';
import { CUSTOM_CHANNEL } from '../domain/channel-name.ts';
import type { Frame } from '../domain/frame.ts';
import { reject, UnavailableError } from '../domain/outcome.ts';
import { comparePositions, formatPosition, type Position, parsePosition } from '../domain/position.ts';
import type { Arrival, Recovery } from './arrival.ts';
import type { Parts } from './parts.ts';
import { Replay } from './replay.ts';

/** What `bus.resume` says at its end. */
type End = Parameters<Resumption['live']>[1];

/** What the rest of the connection is told while arrivals are under way. */
export interface Landing {
  /** Whether others of this connection are behind still, so that nothing may bear a newer position. */
  othersBehind(): boolean;
  /** All of these have all that there is; called in the turn in which they go live, before they do. */
  landed(): void;
}

export const ALONE: Landing = { othersBehind: () => false, landed: () => {} };

/**
 * Puts admitted subscriptions of one connection live: what they missed in one pass, in the history's order, then
 * joining the hub and the answers, all in the turn of the last look at the history. Together, and not channel by
 * channel, since a second cut that falls between two of them would lose events of the later one.
 */
export async function goLive(
  parts: Parts,
  connection: Connection,
  arrivals: readonly Arrival[],
  landing: Landing,
): Promise<void> {
  const signal = endOfAll(arrivals);
  const send = (frame: Frame) =>
    connection.replay(landing.othersBehind() ? (frame.withoutPosition?.() ?? frame) : frame);
  try {
    await reachNewest(parts, arrivals, signal);
    await foretell(parts, arrivals, signal);
    const replay = new Replay(parts, arrivals, send);
    await parts.bus.resume({
      from: oldestOf(arrivals),
      channels: channelsOf(arrivals),
      signal,
      page: (items) => replay.page(items, signal),
      live: (items, end) => {
        replay.give(items);
        const recoveries = conclude(replay, arrivals, end);
        landing.landed();
        for (const arrival of arrivals) {
          const recovery = recoveries.get(arrival) ?? null;
          if (recovery !== null)
            parts.recoveries.came(arrival, recovery, replay.gapsOf(arrival), end.position);
          arrival.goLive(end.position, recovery);
        }
      },
    });
  } catch (error) {
    if (signal.aborted) return;
    fail(connection, arrivals, error);
  }
}

/**
 * The newest of the positions may come from a node that was ahead of this one; live before this one has got there, that
 * channel would be sent once more what it has.
 */
async function reachNewest(parts: Parts, arrivals: readonly Arrival[], signal: AbortSignal): Promise<void> {
  const newest = arrivals
    .flatMap(({ since }) => since ?? [])
    .sort(comparePositions)
    .at(-1);
  if (newest !== undefined) await parts.bus.reach(formatPosition(newest), signal);
}

/** What was missed could not be read: the client comes back with the same position, and misses nothing by it. */
function fail(connection: Connection, arrivals: readonly Arrival[], error: unknown): void {
  const unavailable = error instanceof UnavailableError;
  if (unavailable && arrivals.some(({ from }) => from !== null))
    connection.end({ code: 'unavailable', message: 'what was missed cannot be read now: reconnect' });
  const code = unavailable ? 'unavailable' : 'internal_error';
  for (const arrival of arrivals) arrival.refuse(reject(code, 'not able to subscribe now, try later'));
  if (!unavailable) throw error;
}

/** Counts what is coming, for those who say it beforehand. */
async function foretell(parts: Parts, arrivals: readonly Arrival[], signal: AbortSignal): Promise<void> {
  const asking = arrivals.filter(({ foretells }) => foretells);
  if (asking.length === 0) return;
  const count = new Replay(parts, asking, () => {});
  await parts.bus.resume({
    from: oldestOf(asking),
    channels: channelsOf(asking),
    signal,
    page: (items) => count.page(items, signal),
    live: (items, end) => {
      count.give(items);
      for (const [arrival, recovery] of conclude(count, asking, end)) {
        // Its own, until it has what is coming; a cut in between must not lose that.
        arrival.foretell(recovery, isReached(arrival, end) ? arrival.from : end.position);
      }
    },
  });
}

/** Tells what the history could not say by itself. @returns how it ended for those who brought a position */
function conclude(replay: Replay, arrivals: readonly Arrival[], end: End): ReadonlyMap<Arrival, Recovery> {
  const returning = arrivals.filter(({ from }) => from !== null);
  const isTold = returning.some((arrival) => replay.gapsOf(arrival).length > 0);
  const recoveries = new Map<Arrival, Recovery>();
  for (const arrival of returning) {
    const isSilent = replay.gapsOf(arrival).length === 0;
    if (isSilent && (!isReached(arrival, end) || !(end.complete || isTold)))
      replay.tellGap(arrival, 'unknown_position', end.position);
    const recovered = replay.gapsOf(arrival).length === 0;
    recoveries.set(arrival, { recovered, replayed: replay.replayedTo(arrival) });
  }
  return recoveries;
}

/** Whether the history has got to the position that the client says it has. */
function isReached({ since }: Arrival, end: End): boolean {
  const position = end.position === null ? null : parsePosition(end.position);
  return since !== null && position !== null && comparePositions(since, position) <= 0;
}

/** The one position to read from: the oldest that makes sense. */
function oldestOf(arrivals: readonly Arrival[]): string | null {
  let oldest: Position | null = null;
  for (const { since } of arrivals)
    if (since !== null && (oldest === null || comparePositions(since, oldest) < 0)) oldest = since;
  return oldest === null ? null : formatPosition(oldest);
}

function channelsOf(arrivals: readonly Arrival[]): ReadonlySet<string> {
  const channels = new Set(arrivals.flatMap(({ subscription }) => subscription.follows));
  // Every room's messages may come by it, and every bus follows it by itself.
  if (arrivals.some(({ subscription }) => subscription.room !== null)) channels.add(CUSTOM_CHANNEL);
  return channels;
}

/** Ends when none of the arrivals is under way any more, so that nobody's past is read. */
function endOfAll(arrivals: readonly Arrival[]): AbortSignal {
  const controller = new AbortController();
  void Promise.all(arrivals.map(({ ended }) => ended)).then(() => controller.abort());
  return controller.signal;
}

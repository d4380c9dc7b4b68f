import type { RosterTelling } from './outbox.ts';

/**
 * A channel's use, as the roster keeps it: a room in which each node that has a subscription of the channel holds one
 * seat for all of them. So who died is cleared away, what was lost is entered again, and the first and the last are
 * announced once, by what does all that for members anyway.
 */
const PREFIX = '#occupied ';

/** For sorting: that a channel is vacated is told after the leaving of its last member. */
export function byOccupancy(a: string, b: string): number {
  return Number(a.startsWith(PREFIX)) - Number(b.startsWith(PREFIX));
}

/** @returns where a roster's room is told, or null where nothing of it is */
export function tellsOf(telling: RosterTelling, room: string): string | null {
  const occupancy = readOccupancyRoom(room);
  if (occupancy !== null) return telling.occupancy ? occupancy.order : null;
  return telling.members && !room.startsWith('#') ? room : null;
}

/** What every seat of such a room is held for. No user: the first seat comes, the last one goes. */
export const OCCUPANT_ID_JSON = '"*"';

/** @param order where its events belong: the room that the channel is a way into; no name holds white space */
export function occupancyRoom(order: string, wire: string): string {
  return `${PREFIX}${order} ${wire}`;
}

/** @returns null where it is the room of a channel's members */
export function readOccupancyRoom(name: string): { readonly order: string; readonly wire: string } | null {
  if (!name.startsWith(PREFIX)) return null;
  const [order = '', wire = ''] = name.slice(PREFIX.length).split(' ');
  return { order, wire };
}

import { readOccupancyRoom } from '../broker/outbox/occupancy-room.ts';
import type { Outbox } from '../broker/outbox/outbox.ts';
import type { Roster } from '../broker/roster/roster.ts';
import type { Channels, FlowLog, Parts } from './parts.ts';
import { memberChannelOf } from './room-routing.ts';
import { TellLaravel, type WebhookEvent } from './tell-laravel.ts';
import { NO_OCCUPANCY, RosterOccupancy } from './tell-occupancy.ts';

export interface BuildTelling {
  readonly events: readonly WebhookEvent[];
  /** Whether Laravel is told which channels are in use. */
  readonly occupancy: boolean;
  /** Null: Laravel is told nothing. */
  readonly outbox: Pick<Outbox, 'tell'> | null;
  readonly roster: Pick<Roster, 'enter' | 'leave'>;
  readonly meters: { webhookEvents(outcome: 'dropped', count: number): void };
  readonly log: Pick<FlowLog, 'error'>;
}

/** What the flows tell Laravel by. */
export function buildTelling(parts: BuildTelling): Pick<Parts, 'occupancy' | 'laravel'> {
  const { events, occupancy, outbox, roster, meters, log } = parts;
  return {
    occupancy: occupancy ? new RosterOccupancy(roster, log) : NO_OCCUPANCY,
    laravel: new TellLaravel({
      events: new Set(outbox === null ? [] : events),
      tell: async (telling) => outbox?.tell(telling),
      dropped: () => meters.webhookEvents('dropped', 1),
      log,
    }),
  };
}

/** What the names in the outbox stand for, where they are spelt out. */
export function namesOfRooms(channels: Channels) {
  return {
    occupied: (room: string) => readOccupancyRoom(room)?.wire ?? null,
    memberChannel: (room: string) => memberChannelOf(room, channels),
  };
}

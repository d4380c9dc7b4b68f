import { randomUUID } from 'node:crypto';
import { OCCUPANT_ID_JSON, occupancyRoom } from '../broker/outbox/occupancy-room.ts';
import { AT_ONCE, type Leaving, type Roster } from '../broker/roster/roster.ts';
import { createMember } from '../domain/member.ts';
import { UnavailableError } from '../domain/outcome.ts';
import type { FlowLog } from './parts.ts';

const OCCUPANT = createMember({ userIdJson: OCCUPANT_ID_JSON, socketId: '' });
const RETRY_MS = 1_000;

interface Use {
  readonly room: string;
  readonly seatId: string;
  subscriptions: number;
}

export interface Occupancy {
  /** One more subscription of a channel. @param order where it is told: the room that the channel is a way into */
  enter(wire: string, order: string): void;
  leave(wire: string, how: Leaving): void;
}

/** Where Laravel is not told of it. */
export const NO_OCCUPANCY: Occupancy = { enter: () => {}, leave: () => {} };

/**
 * Which channels are in use, over all nodes: each node that has subscriptions of one holds a seat for them in the
 * roster. A node that dies loses it as it loses its members' seats, so that a channel is vacated by whichever node sees
 * it, once; and a channel without members needs no count of its own that a death would make wrong.
 */
export class RosterOccupancy implements Occupancy {
  readonly #roster: Pick<Roster, 'enter' | 'leave'>;
  readonly #log: Pick<FlowLog, 'error'>;
  readonly #uses = new Map<string, Use>();

  constructor(roster: Pick<Roster, 'enter' | 'leave'>, log: Pick<FlowLog, 'error'>) {
    this.#roster = roster;
    this.#log = log;
  }

  enter(wire: string, order: string): void {
    const known = this.#uses.get(wire);
    if (known !== undefined) {
      known.subscriptions++;
      return;
    }
    const use = { room: occupancyRoom(order, wire), seatId: randomUUID(), subscriptions: 1 };
    this.#uses.set(wire, use);
    this.#take(wire, use);
  }

  leave(wire: string, how: Leaving = AT_ONCE): void {
    const use = this.#uses.get(wire);
    if (use === undefined || --use.subscriptions > 0) return;
    this.#uses.delete(wire);
    this.#roster
      .leave(use.room, use.seatId, how)
      .catch((error: unknown) => this.#log.error({ err: error, wire }, 'a channel could not be vacated'));
  }

  #take(wire: string, use: Use): void {
    this.#roster.enter(use.room, { id: use.seatId, member: OCCUPANT }).catch((error: unknown) => {
      if (!(error instanceof UnavailableError))
        this.#log.error({ err: error, wire }, 'a channel could not be occupied');
      // Taking the same seat twice counts once.
      setTimeout(() => this.#uses.get(wire) === use && this.#take(wire, use), RETRY_MS).unref();
    });
  }
}

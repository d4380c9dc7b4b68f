import type { BrokerLog } from '../broker-log.ts';

/**
 * - `room_keys`: a room's keys held something of another kind; the room was emptied and is entered again.
 * - `member`: what stands for a member is none; it is not shown, and replaced by who has a seat of that user.
 * - `stray_seats`: seats of a node that the store does not know; they were given up.
 */
export type RosterFault = 'room_keys' | 'member' | 'stray_seats';

/** What is found again and again (each list of a room shows the same garbage) is logged this often. */
const LOG_INTERVAL_MS = 10_000;

/** What the roster finds in the store that no node of ours wrote: told, counted, and never a reason to stop. */
export class RosterFaults {
  readonly #log: BrokerLog;
  readonly #count: (fault: RosterFault) => void;
  readonly #loggedAt = new Map<RosterFault, number>();

  constructor(log: BrokerLog, count: (fault: RosterFault) => void) {
    this.#log = log;
    this.#count = count;
  }

  found(fault: RosterFault, fields: object): void {
    this.#count(fault);
    const loggedAt = this.#loggedAt.get(fault) ?? Number.NEGATIVE_INFINITY;
    if (performance.now() - loggedAt < LOG_INTERVAL_MS) return;
    this.#loggedAt.set(fault, performance.now());
    this.#log.warn({ ...fields, fault }, 'the roster held what no node wrote');
  }
}

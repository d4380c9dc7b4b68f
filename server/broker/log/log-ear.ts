import type { Position } from '../../domain/position.ts';
import type { ReplicationPlace } from '../replication/backlog.ts';

/** How a candidate hears what is published. */
export interface LogEar {
  start(): void;
  stop(): void;
  /** What it hears by is no good, or at the wrong Redis. */
  listenAnew(reason: string): void;
}

/** What an ear tells, synchronously. */
export interface EarListener {
  /**
   * From now on everything is heard, in Redis's order.
   * @param after everything since this place of the log; null: nobody knows since when
   */
  begun(after: Position | null): void;
  /** @param place where it stands in the replication stream; null where the ear has no such thing */
  heard(name: Buffer, payload: Buffer, place: ReplicationPlace | null): void;
  /** What is heard later does not continue what was heard before. */
  lost(): void;
}

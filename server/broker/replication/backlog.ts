/** Everything of this history up to this byte has been read. */
export interface ReplicationPlace {
  /** The history's name: 40 hex digits that a master chose. */
  readonly replid: string;
  readonly offset: number;
}

/** What a Redis says of its replication. */
export interface Backlog {
  readonly role: string;
  /** Where it is now. */
  readonly now: ReplicationPlace;
  /** The history that it took part in before it became master, and the last offset that both have in common, plus 1. */
  readonly earlier: ReplicationPlace;
  /** Whether it keeps the last of what it sent. Not before the first replica, nor an hour after the last (`repl-backlog-ttl`). */
  readonly kept: boolean;
  readonly firstOffset: number;
  readonly byteLength: number;
}

/** @param info reply of INFO replication */
export function parseBacklog(info: string): Backlog {
  const fields = new Map(
    info.split('\r\n').map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1)] as const;
    }),
  );
  const text = (name: string) => fields.get(name) ?? '';
  const number = (name: string) => Number(fields.get(name) ?? Number.NaN);
  return {
    role: text('role'),
    now: { replid: text('master_replid'), offset: number('master_repl_offset') },
    earlier: { replid: text('master_replid2'), offset: number('second_repl_offset') },
    kept: text('repl_backlog_active') === '1',
    firstOffset: number('repl_backlog_first_byte_offset'),
    byteLength: number('repl_backlog_histlen'),
  };
}

/** Whether a master will go on from there; the rule of its `masterTryPartialResync`. */
function reaches({ kept, now, earlier, firstOffset, byteLength }: Backlog, place: ReplicationPlace) {
  const next = place.offset + 1;
  const known = place.replid === now.replid || (place.replid === earlier.replid && next <= earlier.offset);
  return kept && known && next >= firstOffset && next <= firstOffset + byteLength;
}

/**
 * The first of these places from which a master will go on; null where from none.
 * @param places all of them stand for the same: what is told up to them
 */
export function firstReached(backlog: Backlog, places: readonly ReplicationPlace[]): ReplicationPlace | null {
  return places.find((place) => reaches(backlog, place)) ?? null;
}

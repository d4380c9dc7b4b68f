import type { IncomingMessage } from 'node:http';
import { isSocketId } from '../../domain/socket-id.ts';
import { queryOf } from './credentials.ts';

/** Longer than any position of ours, in characters: a stranger's text is not kept whole. */
const MAX_POSITION_LENGTH = 64;

/** What a client says of its former connection (protocol.md section 12). */
export interface RawPast {
  /** The position that it has; empty: it has none yet and asks for positions; null: it does not ask for them. */
  readonly since: string | null;
  /** The connection that this one continues, whose own messages it has. */
  readonly oldSocketIds: readonly string[];
}

/** The upgrade's query: `since`, and `socket`, the last `socketId`. */
export function pastOf(request: IncomingMessage): RawPast {
  const query = queryOf(request);
  const socket = query.get('socket');
  return {
    since: query.get('since')?.slice(0, MAX_POSITION_LENGTH) ?? null,
    oldSocketIds: isSocketId(socket) ? [socket] : [],
  };
}

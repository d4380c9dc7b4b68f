import { isSocketId } from '../../domain/socket-id.ts';

/** Longer than any position of ours, in characters: a stranger's text is not kept whole. */
const MAX_POSITION_LENGTH = 64;
/** A connection's own id and those that it continues: a page that is cut again and again needs no more. */
const MAX_SOCKET_IDS = 3;
/** `digits.digits` holds none. */
const SEPARATOR = '_';

/** What socket.io-client (4.6 and later) sends by itself when it comes back. */
export interface RecoveryAuth {
  /** The last position that it was sent, as it says; null where it says none. */
  readonly offset: string | null;
  /** Ids of the connections that it continues, the last one first. */
  readonly oldSocketIds: readonly string[];
}

/** @param auth of the CONNECT packet: whatever a stranger sends */
export function decodeRecoveryAuth(auth: unknown): RecoveryAuth {
  const { pid, offset } = typeof auth === 'object' && auth !== null ? (auth as Record<string, unknown>) : {};
  const ids = typeof pid === 'string' ? pid.slice(0, MAX_PID_LENGTH).split(SEPARATOR) : [];
  return {
    offset: typeof offset === 'string' && offset !== '' ? offset.slice(0, MAX_POSITION_LENGTH) : null,
    oldSocketIds: ids.every(isSocketId) ? ids.slice(0, MAX_SOCKET_IDS - 1) : [],
  };
}

/** Three ids of 41 characters and what is between. */
const MAX_PID_LENGTH = MAX_SOCKET_IDS * 42;

/**
 * What the client brings back as `pid`. New for each connection, since a client that is given the one it had takes
 * itself for recovered; and made of ids alone, so that any node can read it.
 */
export function encodePid(socketIds: readonly string[]): string {
  return socketIds.slice(0, MAX_SOCKET_IDS).join(SEPARATOR);
}

import type { Place } from '../connection/places.ts';
import type { Closure } from '../domain/outcome.ts';
import type { Parts } from './parts.ts';

/**
 * Somebody comes to a door. Asked at the handshake, before anything is done for him.
 * @param address what he is counted by; null: not at all
 * @returns his place, which whoever asked gives back at the end of the connection, or why there is none
 */
export function admitNewcomer(
  { connections, handshakes, places }: Pick<Parts, 'connections' | 'handshakes' | 'places'>,
  address: string | null,
): Place | Closure {
  const closing = connections.refusal();
  if (closing !== null) return closing;
  const waitMs = handshakes.take(address);
  if (waitMs === 0) return places.take(address);
  const message = 'too many new connections from this address';
  return { code: 'rate_limited', message, retryAfterMs: waitMs };
}

import type { IncomingMessage } from 'node:http';
import type { Handshake } from '../access/access.ts';
import type { Place } from '../connection/places.ts';
import type { TickCork } from '../connection/tick-cork.ts';
import type { Closure } from '../domain/outcome.ts';

/** What every protocol is handed for the clients that come to it. */
export interface Doors {
  /** What is known of a client from the request that opens its connection. */
  handshakeOf(request: IncomingMessage): Handshake;
  /** Whether the client of a handshake may come in, and its place; a taken place MUST be given back at its end. */
  admit(request: IncomingMessage): Place | Closure;
  /** Whether a page of the request's `Origin` may connect; upgrades are asked already, before any protocol. */
  allowsOrigin(request: IncomingMessage): boolean;
  /** Headers for every answer to a page. */
  corsHeaders(request: IncomingMessage): Readonly<Record<string, string>>;
  /** Headers for the answer to a page's `OPTIONS`. */
  preflightHeaders(request: IncomingMessage): Readonly<Record<string, string>>;
  /** Joins what a socket is sent in one turn; one for all protocols. */
  readonly tickCork: TickCork;
}

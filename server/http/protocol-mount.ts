import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Closure } from '../domain/outcome.ts';

/** How a protocol stands on the one port. A new protocol hands in one of these, and nothing else changes. */
export interface ProtocolMount {
  readonly name: string;
  /** Whether a request or upgrade of that path is this protocol's. @param pathname whole, without query */
  matches(pathname: string): boolean;
  /** Why an upgrade is not taken now, asked before it is handed over; null: it is taken. Default: always. */
  refusalOf?(request: IncomingMessage): Closure | null;
  /** MUST close the socket of every upgrade that it will not serve. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void | Promise<void>;
  /** Plain requests that it serves by itself, before Express. */
  handleRequest?(request: IncomingMessage, response: ServerResponse): void | Promise<void>;
  /** Ends what is left of it; the drain has told the clients. */
  close?(): void;
}

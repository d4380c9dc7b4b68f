import type { ChannelName } from '../domain/channel-name.ts';
import type { Rejection } from '../domain/outcome.ts';
import type { Grant } from '../domain/subscription.ts';

/**
 * Who may subscribe. Each access is asked in order; the first that answers anything but null decides.
 *
 * MUST: never throw for what a client sent, never log or answer with a token, cookie or secret, and end when
 * `signal` does (the connection is gone, nobody needs the answer).
 */
export interface Access {
  /** @returns grant, rejection, or null: "not mine" */
  decide(question: AccessQuestion): Promise<Grant | Rejection | null>;
}

export interface AccessQuestion {
  readonly channel: ChannelName;
  /** The client's `auth` of its subscribe; for the raw protocol `{token}`. Foreign input. */
  readonly auth: unknown;
  readonly handshake: Handshake;
  /** The connection's public id, for Laravel's `socket_id`. */
  readonly socketId: string;
  readonly signal: AbortSignal;
}

/** What is known of a client from the request that opened its connection. */
export interface Handshake {
  /** The client's real address: a proxy's word counts only if the proxy is trusted. */
  readonly address: string;
  readonly cookie: string | undefined;
  readonly userAgent: string | undefined;
}

/**
 * Every refusal, revocation and closure of the server, in one table (protocol.md section 11).
 *
 * - A *rejection* answers one command: a value, never thrown.
 * - A *revocation* ends one subscription (a token that expired).
 * - A *closure* ends the connection; `close` is how the raw protocol spells it. Another protocol may spell it
 *   otherwise; `advice` tells it whether the client shall come back.
 *
 * Codes are stable: more may be added, none changed, none reused. README's table is generated from here.
 */
interface Entry {
  /** HTTP status that goes with the code. */
  readonly status: number;
  /** WebSocket close code of the raw protocol, or null where the code never ends a connection. */
  readonly close: number | null;
  /** What the client should do: never try the same again, try later, or come back with a new token. */
  readonly advice: 'never' | 'later' | 'new-token';
  readonly when: string;
}

export const catalogue = {
  invalid_message: {
    status: 400,
    close: null,
    advice: 'never',
    when: 'a frame or command of the wrong shape',
  },
  invalid_channel: { status: 400, close: 4403, advice: 'never', when: 'a name that no channel can have' },
  invalid_event: {
    status: 400,
    close: null,
    advice: 'never',
    when: "a whisper's event name that is not `client-*`",
  },
  invalid_data: {
    status: 422,
    close: null,
    advice: 'never',
    when: "data against the channel's definition; the field is named",
  },
  token_missing: { status: 401, close: 4401, advice: 'new-token', when: 'no token where one is needed' },
  token_invalid: {
    status: 401,
    close: 4401,
    advice: 'new-token',
    when: 'a token that is not ours, or lacks a claim',
  },
  token_expired: { status: 401, close: 4401, advice: 'new-token', when: "the token's time is over" },
  forbidden: {
    status: 403,
    close: 4403,
    advice: 'never',
    when: 'Laravel said no, or the token opens another channel',
  },
  not_subscribed: {
    status: 403,
    close: null,
    advice: 'never',
    when: 'a send or whisper from outside the channel',
  },
  send_forbidden: {
    status: 403,
    close: null,
    advice: 'never',
    when: 'the definition lets no client send on this channel',
  },
  denied: {
    status: 403,
    close: null,
    advice: 'never',
    when: "the application was asked before a send and denied it; `reason` is the application's own code",
  },
  ask_error: {
    status: 502,
    close: null,
    advice: 'later',
    when: 'the application was asked before a send and gave no answer that counts; nothing was sent',
  },
  auth_error: {
    status: 502,
    close: null,
    advice: 'later',
    when: 'Laravel could not be asked (status 0), or gave no answer that counts (429, 5xx, 502)',
  },
  cancelled: {
    status: 409,
    close: null,
    advice: 'never',
    when: 'an unsubscribe or disconnect overtook this command',
  },
  rate_limited: {
    status: 429,
    close: 4429,
    advice: 'later',
    when: 'this connection, or its address, is too fast; far beyond the limit it is closed',
  },
  limit_reached: { status: 429, close: 4429, advice: 'later', when: 'a count is full' },
  not_found: {
    status: 404,
    close: null,
    advice: 'never',
    when: 'an HTTP path or upgrade that nothing serves',
  },
  too_large: { status: 413, close: 1009, advice: 'never', when: 'a frame or body over its size' },
  unsupported_media_type: {
    status: 415,
    close: null,
    advice: 'never',
    when: 'an HTTP body that is not JSON',
  },
  too_slow: {
    status: 408,
    close: 4408,
    advice: 'later',
    when: 'the client reads more slowly than it is sent to',
  },
  timed_out: {
    status: 408,
    close: 4408,
    advice: 'later',
    when: 'what must come did not come in time: a request, a handshake, a first subscribe',
  },
  protocol_abuse: { status: 400, close: 4400, advice: 'never', when: 'too many bad frames in a short time' },
  ended: {
    status: 403,
    close: 4409,
    advice: 'never',
    when: 'the application ended this connection or subscription',
  },
  restarting: { status: 503, close: 1012, advice: 'later', when: 'the server restarts: reconnect' },
  unavailable: {
    status: 503,
    close: 1013,
    advice: 'later',
    when: 'not able to serve now (Redis away); of a send: outcome unknown',
  },
  internal_error: {
    status: 500,
    close: 1011,
    advice: 'later',
    when: 'a fault of the server, logged there; never blamed on the client',
  },
} as const satisfies Record<string, Entry>;

export type Code = keyof typeof catalogue;

/** A code that can end a raw connection. */
export type ClosureCode = { [C in Code]: (typeof catalogue)[C]['close'] extends number ? C : never }[Code];

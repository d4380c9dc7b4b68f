/**
 * What crosses the wire, copied by hand from the server: this package imports nothing of it. A test compares
 * the table of codes with the server's catalogue in both directions, so that the two cannot drift apart.
 */

/** What a refusal asks of the client: never the same again, again later, or again with a new token. */
export type Advice = 'never' | 'later' | 'new-token';

export const refusals = {
  invalid_message: { status: 400, advice: 'never' },
  invalid_channel: { status: 400, advice: 'never' },
  invalid_event: { status: 400, advice: 'never' },
  invalid_data: { status: 422, advice: 'never' },
  token_missing: { status: 401, advice: 'new-token' },
  token_invalid: { status: 401, advice: 'new-token' },
  token_expired: { status: 401, advice: 'new-token' },
  forbidden: { status: 403, advice: 'never' },
  not_subscribed: { status: 403, advice: 'never' },
  send_forbidden: { status: 403, advice: 'never' },
  denied: { status: 403, advice: 'never' },
  ask_error: { status: 502, advice: 'later' },
  auth_error: { status: 502, advice: 'later' },
  cancelled: { status: 409, advice: 'never' },
  rate_limited: { status: 429, advice: 'later' },
  limit_reached: { status: 429, advice: 'later' },
  not_found: { status: 404, advice: 'never' },
  too_large: { status: 413, advice: 'never' },
  unsupported_media_type: { status: 415, advice: 'never' },
  too_slow: { status: 408, advice: 'later' },
  timed_out: { status: 408, advice: 'later' },
  protocol_abuse: { status: 400, advice: 'never' },
  ended: { status: 403, advice: 'never' },
  restarting: { status: 503, advice: 'later' },
  unavailable: { status: 503, advice: 'later' },
  internal_error: { status: 500, advice: 'later' },
} as const satisfies Record<string, { status: number; advice: Advice }>;

/** Every code with which the server, or this connector in its name, says no. */
export type YamabikoCode = keyof typeof refusals;

/** A no: `status` is the HTTP status that goes with it, 0 where no answer came at all. */
export interface Refusal {
  readonly code: YamabikoCode;
  readonly status: number;
  readonly message: string;
  /** Where the reason passes by itself: the milliseconds after which the server takes the same again. */
  readonly retryAfterMs?: number;
}

/** A member as the server lists it; Echo hands only `user_info` to the page. A member may have none. */
export interface Member {
  readonly user_id: string | number;
  readonly user_info?: unknown;
  readonly socketId?: string;
}

/** Who sent a message: id 0 is the system, that is, Laravel itself. */
export interface Sender {
  readonly id: number | string;
  readonly name: string;
}

/** A message of a room, as `.onMessage()` hands it over. */
export interface RoomMessage<Data = unknown> {
  readonly sender: Sender;
  readonly data: Data;
}

/** Events that may be missing; `reason` is a word of the server's, for a log. */
export interface Gap {
  readonly reason: string;
  /** Where in the server's log, or null where it does not say. */
  readonly position: string | null;
}

/** How a subscription went on where it had been: whether nothing is missing, and how many events were brought. */
export interface Recovery {
  readonly recovered: boolean;
  readonly replayed: number;
}

export type SubscribeAnswer =
  | { readonly ok: true; readonly expiresInMs: number | null }
  | { readonly ok: false; readonly refusal: Refusal };

/** Events that the protocol keeps for itself: `.listenToAll()` does not show them. */
export function isProtocolEvent(event: string): boolean {
  return event.startsWith('presence:') || event.startsWith('subscription_');
}

/** A refusal by its code, with the status of the table. */
export function refusalOf(code: YamabikoCode, message: string): Refusal {
  return { code, status: refusals[code].status, message };
}

/** A refusal of which only the status is known, as in `subscription_error`. */
export function revocationOf(status: number): Refusal {
  if (status === 401) return { code: 'token_expired', status, message: 'the token of this channel expired' };
  if (status === 403) return { code: 'ended', status, message: 'the server ended this subscription' };
  return { code: nearestCode(status), status, message: `the server ended this subscription (${status})` };
}

/** The answer to `subscribe`. */
export function decodeSubscribeAnswer(value: unknown): SubscribeAnswer {
  if (isRecord(value) && value.ok === true) {
    const seconds = value.expires_in;
    return { ok: true, expiresInMs: typeof seconds === 'number' && seconds >= 0 ? seconds * 1000 : null };
  }
  return { ok: false, refusal: decodeRefusal(value) };
}

/** The answer to `send` or to a whisper: null is a yes. A no stands in `error` or in the answer itself. */
export function decodeVerdict(value: unknown): Refusal | null {
  if (isRecord(value) && value.ok === true) return null;
  return decodeRefusal(isRecord(value) && isRecord(value.error) ? value.error : value);
}

export function decodeMember(value: unknown): Member | null {
  if (!isRecord(value)) return null;
  const id = value.user_id;
  return typeof id === 'string' || typeof id === 'number' ? (value as unknown as Member) : null;
}

export function decodeRoomMessage(value: unknown): RoomMessage | null {
  if (!isRecord(value) || !isRecord(value.sender) || !('data' in value)) return null;
  const { id, name } = value.sender;
  const named = typeof name === 'string' && (typeof id === 'number' || typeof id === 'string');
  return named ? (value as unknown as RoomMessage) : null;
}

export function decodeGap(value: unknown, position: unknown): Gap {
  const { reason } = isRecord(value) ? value : {};
  return {
    reason: typeof reason === 'string' ? reason : 'unknown',
    position: typeof position === 'string' ? position : null,
  };
}

/** What `subscription_succeeded` says of what was missed; null where the subscription began anew. */
export function decodeRecovery(value: unknown): Recovery | null {
  const { recovered, replayed } = isRecord(value) ? value : {};
  if (typeof recovered !== 'boolean') return null;
  return { recovered, replayed: typeof replayed === 'number' ? replayed : 0 };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function decodeRefusal(value: unknown): Refusal {
  const { code, status, message } = isRecord(value) ? value : {};
  const known = typeof code === 'string' && Object.hasOwn(refusals, code) ? (code as YamabikoCode) : null;
  const number = typeof status === 'number' ? status : known ? refusals[known].status : 500;
  const text = typeof message === 'string' ? message : 'the server said no without a reason';
  const refusal = known
    ? { code: known, status: number, message: text }
    : { code: nearestCode(number), status: number, message: `${text} (${String(code)})` };
  const { retry_after: seconds } = isRecord(value) ? value : {};
  return typeof seconds === 'number' && seconds > 0 ? { ...refusal, retryAfterMs: seconds * 1000 } : refusal;
}

/** For a code of a newer server: what it asks of the client follows from its status. */
function nearestCode(status: number): YamabikoCode {
  if (status === 401) return 'token_invalid';
  if (status === 429) return 'rate_limited';
  if (status === 0 || status >= 500) return 'auth_error';
  return status === 403 ? 'forbidden' : 'invalid_message';
}

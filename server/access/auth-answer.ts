import type { ChannelKind } from '../domain/channel-name.ts';
import { jsonValue } from '../domain/json-text.ts';
import { isIdText } from '../domain/member.ts';
import { type Rejection, reject } from '../domain/outcome.ts';
import type { Grant } from '../domain/subscription.ts';
import type { AuthOutcome } from './auth-attempts.ts';

/** Laravel's yes, and whom it named. */
export type AuthYes = { readonly ok: true; readonly user: Grant['user'] };

/**
 * What Laravel's answer means (protocol.md section 6, "Status"; facts/laravel.md "POST /broadcasting/auth").
 * Ids and infos stay the JSON text that they came as: parsing would break ids beyond 2^53.
 */
export function decodeAuthAnswer(outcome: AuthOutcome, kind: ChannelKind): AuthYes | Rejection {
  switch (outcome.type) {
    case 'timeout':
      return reject('auth_error', 'Laravel did not answer in time', 0);
    case 'network':
      return reject('auth_error', 'Laravel could not be reached', 0);
    case 'too_large':
      return noAnswer("Laravel's answer is too large");
    case 'answer':
      return outcome.status === 200 ? decodeBody(outcome.body, kind) : rejectionOf(outcome);
    default:
      return outcome satisfies never;
  }
}

function rejectionOf({ status, retryAfterMs }: Extract<AuthOutcome, { type: 'answer' }>): Rejection {
  if (status === 429 || status >= 500) {
    const rejection = reject('auth_error', `Laravel answers ${status}`, status);
    return retryAfterMs === null ? rejection : { ...rejection, retryAfterMs };
  }
  if (status >= 400) return reject('forbidden', `Laravel refuses with ${status}`, status);
  // A redirect leads a guest to the login page, whose 200 laravel-echo-server took for a yes.
  return noAnswer(`Laravel answers ${status}, which is neither yes nor no`);
}

function decodeBody(body: string, kind: ChannelKind): AuthYes | Rejection {
  const parsed = parse(body);
  if (parsed === undefined) return noAnswer("Laravel's answer is no JSON");
  if (parsed === false) return reject('forbidden', 'Laravel says no');
  const channelData = channelDataOf(parsed, body);
  const user = channelData === null ? null : userIn(channelData);
  if (kind === 'presence')
    return user === null
      ? noAnswer("Laravel's answer names no user of a presence channel")
      : { ok: true, user };
  return parsed === true || channelData !== null || hasSignature(parsed)
    ? { ok: true, user }
    : noAnswer("Laravel's answer is neither yes nor no");
}

/** The text of `channel_data`: an object, or (pusher and reverb drivers) a string that holds one. */
function channelDataOf(parsed: unknown, body: string): string | null {
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return null;
  const { channel_data: data } = parsed as { channel_data?: unknown };
  if (typeof data === 'string') return isObject(parse(data)) ? data : null;
  return isObject(data) ? (jsonValue(body, 'channel_data') ?? null) : null;
}

/** Null where the id is missing, null, "" or no id at all; 0 is a user. */
function userIn(channelData: string): Grant['user'] {
  const userIdJson = jsonValue(channelData, 'user_id');
  if (userIdJson === undefined || !isIdText(userIdJson)) return null;
  const userInfoJson = jsonValue(channelData, 'user_info');
  return userInfoJson === undefined ? { userIdJson } : { userIdJson, userInfoJson };
}

/** The pusher and reverb drivers sign; the signature is for their own servers and is not checked here. */
function hasSignature(parsed: unknown): boolean {
  if (!isObject(parsed)) return false;
  const { auth } = parsed as { auth?: unknown };
  return typeof auth === 'string' && auth !== '';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function noAnswer(message: string): Rejection {
  return reject('auth_error', message);
}

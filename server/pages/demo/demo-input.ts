import { isRejection, type Rejection, reject } from '../../domain/outcome.ts';
import type { DemoChat, DemoEvent, DemoTweet, DemoUser } from './laravel-payload.ts';

export const DEMO_ROOM = 'chat:demo';

/** What the page needs tokens for; a token for any other channel would open an application's own rooms. */
const TOKEN_CHANNELS: ReadonlySet<string> = new Set([DEMO_ROOM, 'tweet:demo', 'progress:demo']);

const MAX_NAME = 60;
const MAX_TEXT = 500;
const MAX_STEPS = 200;
const DEFAULT_STEPS = 40;

export function decodeTokenRequest(body: unknown): (DemoUser & { readonly channel: string }) | Rejection {
  const { channel, user } = fieldsOf(body);
  if (typeof channel !== 'string' || !TOKEN_CHANNELS.has(channel))
    return reject('forbidden', `the demo gives tokens for ${[...TOKEN_CHANNELS].join(', ')} only`);
  const decoded = decodeUser(user);
  return isRejection(decoded) ? decoded : { ...decoded, channel };
}

/** @param header `id:name`, the name percent-encoded since headers carry ASCII only; null where it is anything else */
export function decodeUserHeader(header: string | undefined): DemoUser | null {
  const match = /^([1-9][0-9]{0,14}):(.+)$/.exec(header ?? '');
  if (match === null) return null;
  const name = percentDecoded(match[2] ?? '');
  return name !== null && isText(name, MAX_NAME) ? { id: Number(match[1]), name } : null;
}

export function decodeChat(body: unknown): DemoChat | Rejection {
  const { message, name, target_user_id: target = null } = fieldsOf(body);
  if (!isText(message, MAX_TEXT))
    return reject('invalid_data', `message: a text of 1 to ${MAX_TEXT} characters`);
  if (!isText(name, MAX_NAME)) return reject('invalid_data', `name: a text of 1 to ${MAX_NAME} characters`);
  if (target !== null && !isUserId(target))
    return reject('invalid_data', 'target_user_id: an integer above 0');
  return { message, name, targetUserId: target };
}

export function decodeTweet(body: unknown): DemoTweet | Rejection {
  const { content, user } = fieldsOf(body);
  if (!isText(content, MAX_TEXT))
    return reject('invalid_data', `content: a text of 1 to ${MAX_TEXT} characters`);
  const author = decodeUser(user);
  return isRejection(author) ? author : { content, user: author };
}

export function decodeEvent(body: unknown): DemoEvent | Rejection {
  const { kind, toOthers = false } = fieldsOf(body);
  if (kind !== 'public' && kind !== 'private' && kind !== 'presence')
    return reject('invalid_data', 'kind: one of public, private, presence');
  if (typeof toOthers !== 'boolean') return reject('invalid_data', 'toOthers: true or false');
  return { kind, toOthers };
}

export function decodeJob(body: unknown): { readonly total: number } | Rejection {
  const { total = DEFAULT_STEPS } = fieldsOf(body);
  if (typeof total !== 'number' || !Number.isInteger(total) || total < 1 || total > MAX_STEPS)
    return reject('invalid_data', `total: an integer from 1 to ${MAX_STEPS}`);
  return { total };
}

function decodeUser(value: unknown): DemoUser | Rejection {
  const { id, name } = fieldsOf(value);
  if (!isUserId(id)) return reject('invalid_data', 'user.id: an integer above 0');
  if (!isText(name, MAX_NAME))
    return reject('invalid_data', `user.name: a text of 1 to ${MAX_NAME} characters`);
  return { id, name };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function isUserId(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

function isText(value: unknown, maxCharacters: number): value is string {
  return (
    typeof value === 'string' && value.trim() !== '' && value.length <= maxCharacters && value.isWellFormed()
  );
}

function percentDecoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray `%`: the header is not the page's, which is all that the caller wants to know.
    return null;
  }
}

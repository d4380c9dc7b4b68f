import { jsonMembers, jsonValue } from './json-text.ts';
import type { Sender } from './sender.ts';

/**
 * A user as a room's list shows him. Both spellings are JSON text, made once and sent as they are, since
 * parsing and writing would break large ids (protocol.md section 5 and section 3, "An Echo member...").
 */
export interface Member {
  /** What makes two members the same user: `String(user_id)`. */
  readonly userId: string;
  /** `{"user_id":..,"user_info":..,"socketId":".."}`: Echo's spelling, and what a roster keeps. */
  readonly json: string;
  /** `{"id":..,"name":".."}`: the raw protocol's spelling. */
  readonly user: string;
}

export interface MemberFacts {
  /** JSON text of the id, a number or a string. */
  readonly userIdJson: string;
  /** JSON text of the info; absent where Laravel sent none. */
  readonly userInfoJson?: string;
  /** Random and public; never the id of an Engine.IO session, which would open that session. */
  readonly socketId: string;
}

const CANONICAL_DECIMAL = /^(0|[1-9][0-9]*)$/;
const INTEGER = /^(0|-?[1-9][0-9]*)$/;

export function createMember({ userIdJson, userInfoJson, socketId }: MemberFacts): Member {
  const info = userInfoJson === undefined ? '' : `"user_info":${userInfoJson},`;
  return memberOf(
    userIdJson,
    userInfoJson,
    `{"user_id":${userIdJson},${info}"socketId":${JSON.stringify(socketId)}}`,
  );
}

/** Who a member is as the cause of a message. */
export function senderOf(member: Member): Sender {
  const { name } = JSON.parse(member.user) as { name: string };
  return { idJson: jsonValue(member.user, 'id') ?? JSON.stringify(member.userId), name };
}

/** @param json what `createMember` wrote; null where it is anything else (another program's key, an old node) */
export function decodeMember(json: string): Member | null {
  if (!isObjectText(json)) return null;
  let userIdJson: string | undefined;
  let userInfoJson: string | undefined;
  for (const m of jsonMembers(json)) {
    if (m.key === 'user_id') userIdJson = json.slice(m.valueStart, m.valueEnd);
    if (m.key === 'user_info') userInfoJson = json.slice(m.valueStart, m.valueEnd);
  }
  return userIdJson !== undefined && isIdText(userIdJson) ? memberOf(userIdJson, userInfoJson, json) : null;
}

/** Whether JSON text is an id that a user can have: a number, or a string that is not empty. 0 is a user. */
export function isIdText(json: string): boolean {
  return json.startsWith('"') ? json !== '""' : /^-?[0-9]/.test(json);
}

function memberOf(userIdJson: string, userInfoJson: string | undefined, json: string): Member {
  const userId = userIdText(userIdJson);
  const name = JSON.stringify(nameIn(userInfoJson) ?? userId);
  const id = CANONICAL_DECIMAL.test(userId) ? userId : JSON.stringify(userId);
  return { userId, json, user: `{"id":${id},"name":${name}}` };
}

/** What makes two ids one: `String(user_id)`, without losing the digits of an id beyond 2^53. */
export function userIdText(userIdJson: string): string {
  if (userIdJson.startsWith('"')) return JSON.parse(userIdJson) as string;
  return INTEGER.test(userIdJson) ? userIdJson : String(Number(userIdJson));
}

function nameIn(userInfoJson: string | undefined): string | null {
  if (userInfoJson === undefined) return null;
  const info: unknown = JSON.parse(userInfoJson);
  const name = typeof info === 'object' && info !== null ? (info as { name?: unknown }).name : undefined;
  return typeof name === 'string' ? name : null;
}

function isObjectText(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

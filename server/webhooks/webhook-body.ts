import { jsonMembers, jsonValue } from '../domain/json-text.ts';
import { decodeMember } from '../domain/member.ts';

/** What this part reads of an entry of the outbox. */
export interface Event {
  readonly id: string;
  readonly atMs: number;
  readonly kind: 'joined' | 'left' | 'event';
  readonly room: string;
  readonly json: string;
}

/** What is told, and what the names that the roster keeps stand for. */
export interface BodySettings {
  /** Names of events. */
  readonly events: ReadonlySet<string>;
  /** A channel that came into use or went out of it, or null where the room is one of members. */
  occupied(room: string): string | null;
  /** The channel that Laravel knows a room of members by. */
  memberChannel(room: string): string;
}

/**
 * `{time_ms, events:[{name, channel, ...}]}`, Pusher's format; each event has an id, the same at each repeat.
 * @returns null where nothing of it is told
 */
export function webhookBody(events: readonly Event[], settings: BodySettings): string | null {
  const told = events.map((event) => encode(event, settings)).filter((json) => json !== null);
  if (told.length === 0 && events.length > 0) return null;
  return `{"time_ms":${Date.now()},"events":[${told.join(',')}]}`;
}

function encode(event: Event, settings: BodySettings): string | null {
  const head = `{"id":${JSON.stringify(event.id)},"time_ms":${event.atMs}`;
  if (event.kind === 'event') return spliced(head, event.json);
  const came = event.kind === 'joined';
  const occupied = settings.occupied(event.room);
  const name =
    occupied === null ? `member_${came ? 'added' : 'removed'}` : `channel_${came ? 'occupied' : 'vacated'}`;
  if (!settings.events.has(name)) return null;
  const channel = occupied ?? settings.memberChannel(event.room);
  const fields = `${head},"name":"${name}","channel":${JSON.stringify(channel)}`;
  return occupied === null ? `${fields},${memberFields(event)}}` : `${fields}}`;
}

function memberFields({ room, json }: Event): string {
  const info = jsonValue(json, 'user_info');
  // The id is a string, as in Pusher's.
  const id = JSON.stringify(decodeMember(json)?.userId ?? '');
  return `"room":${JSON.stringify(room)},"user_id":${id}${info === undefined ? '' : `,"user_info":${info}`}`;
}

/** Numbers and key order of the fields stay as they are. */
function spliced(head: string, json: string): string {
  return jsonMembers(json).length === 0 ? `${head}}` : `${head},${json.slice(json.indexOf('{') + 1)}`;
}

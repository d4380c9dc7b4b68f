import { encodeLaravelEvent } from '../broker/bus/laravel-wire.ts';
import { jsonValue, withJsonValue } from '../domain/json-text.ts';

/** A test message as Laravel would send it. */
export interface Publication {
  /** Wire name with an event, base name without. */
  readonly channel: string;
  /** Laravel's event; null for the custom channel's message. */
  readonly event: string | null;
  /** JSON text of an object, as it was typed. */
  readonly data: string;
  readonly socketId: string | null;
}

/** The bytes that Laravel would publish: `Redis::publish('broadcast', ..)`, or its redis broadcaster's. */
export function laravelPayload({ channel, event, data, socketId }: Publication): string {
  if (event === null) return `{"channel":${JSON.stringify(channel)},"data":${data},"type":"message"}`;
  const socket = JSON.stringify(socketId);
  return encodeLaravelEvent({ event, data: withSocket(data, socket), socketId });
}

/** Laravel's events bear the socket inside `data` too, as its last key. */
function withSocket(data: string, socket: string): string {
  if (jsonValue(data, 'socket') !== undefined) return withJsonValue(data, 'socket', socket);
  const inside = data.slice(1, -1).trim();
  return `{${inside === '' ? '' : `${inside},`}"socket":${socket}}`;
}

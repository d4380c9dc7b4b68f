import { CUSTOM_CHANNEL } from '../../domain/channel-name.ts';
export interface DemoUser {
  readonly id: number;
  readonly name: string;
}

export interface DemoChat {
  readonly message: string;
  readonly name: string;
  /** Null for everybody. */
  readonly targetUserId: number | null;
}

export interface DemoTweet {
  readonly content: string;
  readonly user: DemoUser;
}

export interface DemoEvent {
  readonly kind: 'public' | 'private' | 'presence';
  /** As Laravel's `->toOthers()`: leaves out the connection that `X-Socket-ID` names. */
  readonly toOthers: boolean;
}

/** What goes to the bus, shown on the page word for word. */
export interface Publication {
  readonly channel: string;
  readonly payload: string;
}

const PREFIX = { public: '', private: 'private-', presence: 'presence-' } as const;

/** `Redis::publish('broadcast', ...)` of a chat controller; with a sender where a user is logged in. */
export function chatPayload(channel: string, chat: DemoChat, sender: DemoUser | null): Publication {
  const { message, name, targetUserId } = chat;
  const data = targetUserId === null ? { message, name } : { message, name, target_user_id: targetUserId };
  return customMessage(channel, data, sender);
}

/** The same for a tweet; the time doubles as its id, which a database would give. */
export function tweetPayload({ content, user }: DemoTweet, now: Date): Publication {
  const tweet = { id: now.getTime(), content, created_at: now.toISOString(), user };
  return customMessage('tweet:demo', { tweet }, null);
}

/** One step of the seed's `App\Services\Jobs\SampleJobService`. */
export function progressPayload(title: string, cursor: number, total: number): Publication {
  const info = { type: 'sample_job_progress', title, detail: { cursor, total } };
  return customMessage('progress:demo', { info }, null);
}

/** `broadcast(new OrderShipped)` through Laravel's redis driver, `->toOthers()` where asked. */
export function eventPayload(room: string, event: DemoEvent, socketId: string | null): Publication {
  const socket = event.toOthers ? socketId : null;
  const data = { order: { id: 7, carrier: 'Yamabiko Express' }, socket };
  return {
    channel: PREFIX[event.kind] + room,
    payload: phpJson({ event: 'App\\Events\\OrderShipped', data, socket }),
  };
}

function customMessage(channel: string, data: object, sender: DemoUser | null): Publication {
  const message = { channel, data, type: 'message', ...(sender === null ? {} : { sender }) };
  return { channel: CUSTOM_CHANNEL, payload: phpJson(message) };
}

/** As PHP's `json_encode` writes by default: slashes escaped, everything beyond ASCII as `\uXXXX`. */
function phpJson(value: object): string {
  return JSON.stringify(value)
    .replaceAll('/', '\\/')
    .replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

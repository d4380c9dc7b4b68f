import type { DemoUser, RoomUser } from '../users.ts';

export const ROOM = 'chat:demo';

/** Echo's five states; the raw link uses the same words. */
export type LinkStatus = 'connecting' | 'connected' | 'reconnecting' | 'disconnected' | 'failed';

/** What a pane hears of its room, whichever protocol brought it. */
export interface RoomEvents {
  status(status: LinkStatus): void;
  /** The whole member list, the pane's own user included. */
  here(users: readonly RoomUser[]): void;
  joining(user: RoomUser): void;
  leaving(user: RoomUser): void;
  message(sender: RoomUser, text: string): void;
  /** A Laravel event, on the wire name that it was published on. */
  laravelEvent(wire: string, event: string): void;
  /** Somebody whispered that he is typing. */
  typing(name: string): void;
  trouble(text: string): void;
}

/** One way into the room. */
export interface RoomLink {
  /** @param to the one user it is for, or null for all. Rejects with words for the user. */
  send(text: string, to: number | null): Promise<void>;
  /** Whispers that the user is typing; absent where the protocol has no whispers. */
  whisperTyping?(): void;
  /** Echo's name of this connection, for `X-Socket-ID`; absent where nothing would use it. */
  socketId?(): string | undefined;
  close(): void;
}

export type OpenRoom = (me: DemoUser, room: RoomEvents) => RoomLink;

/** What the chat channel's definition lets through (protocol.md, "Channel definitions"). */
export function textOf(data: unknown): string | null {
  if (typeof data !== 'object' || data === null || !('message' in data)) return null;
  return typeof data.message === 'string' ? data.message : null;
}

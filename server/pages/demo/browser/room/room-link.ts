import type { DemoUser, RoomUser } from '../users.ts';

export const ROOM = 'chat:demo';

/** Echo's five states; the raw link uses the same words. */
export type LinkStatus = 'connecting' | 'connected' | 'reconnecting' | 'disconnected' | 'failed';

/** What a pane hears of its room, whichever protocol brought it. */
export interface RoomEvents {
  status(status: LinkStatus): void;
  /** From now on this wire name's events arrive; told again after each reconnect. */
  subscribed(wire: string): void;
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

/**
 * Hands on a message of the chat (protocol.md, "Channel definitions"). Of Laravel's own messages the sender is the
 * system user, so the name to show is the one that Laravel wrote into the data.
 */
export function passOn(room: RoomEvents, sender: RoomUser, data: unknown): void {
  if (typeof data !== 'object' || data === null || !('message' in data)) return;
  if (typeof data.message !== 'string') return;
  const isLaravel = sender.id === 0 && 'name' in data && typeof data.name === 'string';
  room.message(isLaravel ? { id: 0, name: String(data.name) } : sender, data.message);
}

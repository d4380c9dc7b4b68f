import type { Child } from '../child.ts';
import type { FrameCounter } from '../frame-counter.ts';

/** A server under test, and how its clients come in and Laravel publishes to them. */
export interface Target {
  readonly name: string;
  start(surroundings: Surroundings): Promise<Server>;
  /** A client on a channel that anybody may hear: each publish there comes to it as exactly one frame. */
  open(port: number, channel: string): Promise<FrameCounter>;
  publication(channel: string, data: string): Publication;
}

/** One that keeps member lists. */
export interface PresenceTarget extends Target {
  /** A client that is not in the room yet. */
  approach(port: number, room: string, user: number, heard: (text: string) => void): Promise<Member>;
  /** What a frame says of the member list; null: nothing. */
  readMembers(text: string): Membership | null;
}

/** One whose clients may be on several channels, each by Laravel's leave. */
export interface PrivateTarget extends Target {
  connect(port: number): Promise<FrameCounter>;
  subscribe(client: FrameCounter, channel: string): void;
  unsubscribe(client: FrameCounter, channel: string): void;
}

export interface Surroundings {
  readonly redisUrl: string;
  /** Laravel's auth endpoint. */
  readonly authUrl: string;
}

export interface Server {
  readonly child: Child;
  readonly port: number;
}

/** What goes to Redis for one event. */
export interface Publication {
  readonly channel: string;
  readonly payload: string;
}

export interface Member {
  join(): Promise<void>;
  leave(): void;
  close(): void;
}

export interface Membership {
  readonly kind: 'list' | 'joined' | 'left';
  readonly users: readonly number[];
}

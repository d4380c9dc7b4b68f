import type { Access } from '../access/access.ts';
import type { Bus } from '../broker/bus/bus.ts';
import type { Roster } from '../broker/roster/roster.ts';
import type { Connections } from '../connection/connections.ts';
import type { HandshakeRates } from '../connection/handshake-rates.ts';
import type { Places } from '../connection/places.ts';
import type { Broadcast } from '../domain/broadcast.ts';
import type { Code } from '../domain/catalogue.ts';
import type { ReservedNames } from '../domain/channel-name.ts';
import type { Rejection } from '../domain/outcome.ts';
import type { SubscriptionKind } from '../domain/subscription.ts';
import type { Hub } from '../hub/hub.ts';
import type { RoomViews } from '../hub/room-views.ts';
import type { Ask } from './ask-before-send.ts';
import type { DropLog } from './drop-log.ts';
import type { PendingSends } from './pending-sends.ts';
import type { RecoveryLog } from './recovery-log.ts';
import type { TellLaravel } from './tell-laravel.ts';
import type { Occupancy } from './tell-occupancy.ts';

/** What the flows work with. Built once, in server.ts. */
export interface Parts {
  readonly reserved: ReservedNames;
  readonly channels: Channels;
  readonly access: Access;
  readonly bus: Bus;
  readonly roster: Roster;
  readonly hub: Hub;
  readonly views: RoomViews;
  readonly connections: Connections;
  readonly places: Places;
  readonly handshakes: HandshakeRates;
  readonly sends: PendingSends;
  readonly occupancy: Occupancy;
  readonly laravel: TellLaravel;
  readonly ask: Ask;
  readonly drops: DropLog;
  readonly recoveries: RecoveryLog;
  readonly log: FlowLog;
  readonly meters: FlowMeters;
  readonly settings: FlowSettings;
}

export interface FlowSettings {
  /** How long a step may wait for the bus, in milliseconds: past it the command is refused `unavailable`. */
  readonly commandTimeoutMs: number;
  /** After an outage those who are missing leave within 1.5 of it, in milliseconds. */
  readonly nodeTtlMs: number;
  /** Name of the sender (id 0) of Laravel's own messages. */
  readonly systemUserName: string;
  /** How much longer than its token a membership lasts, in milliseconds (protocol.md section 2). */
  readonly clockToleranceMs: number;
  /** Channels that one connection may be subscribed to; the next is refused `limit_reached`. */
  readonly maxSubscriptions: number;
  /** What a subscribe costs that asks Laravel or brings a token; any other costs one. */
  readonly authCost: number;
  /** Largest payload to clients, in bytes; a larger one is refused or dropped as `too_large`. */
  readonly maxEventBytes: number;
  /** Largest member, as JSON, in bytes; who brings a larger one is refused `too_large`. */
  readonly maxMemberBytes: number;
  /** What of the past is kept for those who come back; null: nothing. */
  readonly history: { readonly historyMs: number; readonly historyEntries: number } | null;
}

/** What the flows need of the channel definitions. */
export interface Channels {
  of(base: string): { readonly definition: Definition; readonly explicit: boolean };
  shape(
    base: string,
    dataText: string,
  ): { readonly ok: true; readonly data: string; readonly userId: string | null } | Rejection;
}

interface Definition {
  readonly clientSend: boolean;
  readonly ask: boolean;
  readonly users: boolean;
  readonly echo: boolean;
}

export interface FlowLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface FlowMeters {
  connectionOpened(protocol: string): void;
  connectionClosed(protocol: string): void;
  subscribed(kind: SubscriptionKind): void;
  unsubscribed(kind: SubscriptionKind): void;
  broadcast(type: Broadcast['type']): void;
  dropped(source: string, reason: string): void;
  refused(code: Code): void;
  busReady(ready: boolean): void;
  busGap(reason: string): void;
  /** A subscription came back with a position. */
  recovery(outcome: 'recovered' | 'gap'): void;
  /** Frames of the past that were written. */
  replayed(frames: number): void;
}

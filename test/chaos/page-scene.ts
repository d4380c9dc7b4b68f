import type { Transport } from '../support/socket-io.ts';
import { baseOf, type Kind } from './scene.ts';

/** The row of nodes on plain Pub/Sub has a prefix of its own in the same Redis. */
export const CONTROL_PREFIX = 'control_';

/** Rooms of the pages alone, so that the visitors' member lists are their own. */
export const PAGE_ROOMS = ['chat:7', 'chat:8', 'den'] as const;
/** Rooms whose definition lets clients send. */
const TALKING_ROOMS = ['chat:7', 'chat:8'];

export const PAGE_WIRES = [
  'ticker',
  ...PAGE_ROOMS.flatMap((room) => [room, `private-${room}`, `presence-${room}`]),
];

export const PAGE_MESSAGE_WIRES = ['private-chat:7', 'presence-chat:7', 'private-chat:8', 'presence-chat:8'];

export const PAGE_CHANNELS = ['broadcast', ...PAGE_WIRES];

/** One channel of a page, and how it is opened. */
export interface LinePlan {
  readonly wire: string;
  readonly kind: Kind;
}

export interface PagePlan {
  /** `echo`: laravel-echo 2.5 with its own connector on socket.io-client 4.8, nothing changed. */
  readonly door: 'echo' | 'connector' | 'raw';
  readonly transports: readonly Transport[];
  readonly lines: readonly LinePlan[];
}

const line = (wire: string, kind?: Kind): LinePlan => ({ wire, kind: kind ?? kindOf(wire) });

const kindOf = (wire: string): Kind =>
  wire.startsWith('presence-') ? 'presence' : wire.startsWith('private-') ? 'private' : 'public';

const WS: readonly Transport[] = ['websocket'];
const POLLING: readonly Transport[] = ['polling'];
const UPGRADING: readonly Transport[] = ['polling', 'websocket'];
const plan = (door: PagePlan['door'], transports: readonly Transport[], ...lines: LinePlan[]): PagePlan => ({
  door,
  transports,
  lines,
});

/** The pages take them in turn. */
const PLANS: readonly PagePlan[] = [
  plan('echo', WS, line('ticker'), line('private-chat:7'), line('presence-chat:7'), line('private-den')),
  plan(
    'connector',
    WS,
    line('chat:7', 'token'),
    line('private-chat:7'),
    line('presence-den'),
    line('ticker'),
  ),
  plan('raw', WS, line('chat:7', 'token')),
  plan('echo', POLLING, line('presence-chat:8'), line('private-chat:8'), line('ticker'), line('den')),
  plan('echo', WS, line('private-chat:7'), line('private-chat:8'), line('presence-den'), line('chat:8')),
  plan('raw', WS, line('chat:8', 'token')),
  plan('connector', WS, line('chat:8', 'token'), line('presence-chat:7'), line('den')),
  plan('echo', UPGRADING, line('private-den'), line('presence-chat:8'), line('ticker')),
];

export interface PageCasting {
  readonly name: string;
  readonly plan: PagePlan;
  readonly userId: number;
}

/** @param letter of the row, before the number */
export function castPages(letter: string, count: number, firstUserId: number): PageCasting[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `${letter}${String(i).padStart(2, '0')}`,
    plan: PLANS[i % PLANS.length] as PagePlan,
    userId: firstUserId + i,
  }));
}

export function maySend({ wire, kind }: LinePlan): boolean {
  return kind === 'token' && TALKING_ROOMS.includes(wire);
}

export function mayWhisper({ kind }: LinePlan): boolean {
  return kind === 'private' || kind === 'presence';
}

/** Whether a channel is one of the pages' rooms. */
export function isOfPages(wire: string): boolean {
  return (PAGE_ROOMS as readonly string[]).includes(baseOf(wire));
}

import type { ClientVersion, Transport } from '../support/socket-io.ts';

export type Kind = 'public' | 'token' | 'private' | 'presence';

/** The Redis prefix of server and Laravel alike. */
export const PREFIX = 'laravel_database_';

/** Two rooms whose definition is built in, and one without. */
export const ROOMS = ['chat:1', 'chat:2', 'lobby'] as const;

/** Wire names that Laravel publishes ordinary events on. */
export const EVENT_WIRES = [
  'news',
  ...ROOMS.flatMap((room) => [room, `private-${room}`, `presence-${room}`]),
];

/** Rooms where a Laravel event named `message` is a message of everybody in them. */
export const MESSAGE_WIRES = ['private-chat:1', 'presence-chat:1', 'private-chat:2', 'presence-chat:2'];

/** Every Redis channel that anything travels on. */
export const REDIS_CHANNELS = ['broadcast', ...EVENT_WIRES];

/** How a client of the run comes in, and what it is subscribed to. */
export type Plan =
  | { readonly door: 'raw'; readonly room: string }
  | {
      readonly door: 'echo';
      readonly version: ClientVersion;
      readonly transports: readonly Transport[];
      /** Wire names; those of `token` are opened by a JWT, the others by Laravel or nobody. */
      readonly wires: readonly string[];
      readonly token: readonly string[];
    };

const echo = (
  version: ClientVersion,
  transports: readonly Transport[],
  wires: readonly string[],
  token: readonly string[] = [],
): Plan => ({ door: 'echo', version, transports, wires, token });

const WS: readonly Transport[] = ['websocket'];
const POLLING: readonly Transport[] = ['polling'];
const UPGRADING: readonly Transport[] = ['polling', 'websocket'];

/** Every door; the clients take them in turn. */
const PLANS: readonly Plan[] = [
  { door: 'raw', room: 'chat:1' },
  echo(4, WS, ['presence-chat:1', 'private-chat:1', 'news']),
  echo(2, WS, ['presence-chat:1', 'presence-lobby', 'news']),
  echo(4, POLLING, ['presence-chat:2', 'private-lobby', 'news']),
  { door: 'raw', room: 'chat:2' },
  echo(2, POLLING, ['presence-chat:1', 'private-chat:2']),
  echo(4, WS, [], ['chat:2']),
  echo(4, UPGRADING, ['private-chat:1', 'presence-lobby'], ['presence-chat:2']),
  { door: 'raw', room: 'lobby' },
  echo(3, WS, ['presence-lobby', 'private-chat:2', 'news']),
  echo(4, WS, ['news'], ['chat:1']),
  echo(2, UPGRADING, ['presence-chat:2', 'private-lobby', 'news']),
];

export interface Casting {
  readonly name: string;
  readonly plan: Plan;
  readonly userId: number;
}

/** So many clients; a third of the users have a second tab, by another door and in another room too. */
export function castClients(count: number): Casting[] {
  const users = Math.ceil((count * 3) / 4);
  return Array.from({ length: count }, (_, i) => ({
    name: `c${String(i).padStart(2, '0')}`,
    plan: PLANS[i % PLANS.length] as Plan,
    userId: 100 + (i % users),
  }));
}

export const userName = (userId: number): string => `user${userId}`;

/** The room that a wire name belongs to. */
export const baseOf = (wire: string): string => wire.replace(/^(private|presence)-/, '');

/** Whether a kind of subscription takes part in its room's member list. */
export const isListed = (kind: Kind): boolean => kind === 'token' || kind === 'presence';

/** The rooms in whose lists a client is shown. */
function roomsOf(plan: Plan): string[] {
  if (plan.door === 'raw') return [plan.room];
  return [...plan.token, ...plan.wires.filter((wire) => wire.startsWith('presence-'))].map(baseOf);
}

/** The users who may be seen in a room at all. */
export function usersOf(cast: readonly Casting[], room: string): ReadonlySet<string> {
  return new Set(cast.filter(({ plan }) => roomsOf(plan).includes(room)).map(({ userId }) => String(userId)));
}

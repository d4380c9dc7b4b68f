import { FrameCounter } from '../frame-counter.ts';
import type { Member, Membership } from './target.ts';

/** What speaks Echo's Socket.IO protocol differs in these. */
export interface EchoDialect {
  /** Engine.IO's revision: 3 for laravel-echo-server. */
  readonly revision: 3 | 4;
  /** What comes back for a subscribe: an event of the server's, an ack for whoever asks for it, or nothing. */
  readonly answer: 'event' | 'ack' | 'none';
}

/** A page of Echo's, connected. */
export async function connectPage(
  { revision }: EchoDialect,
  port: number,
  heard?: (text: string) => void,
): Promise<FrameCounter> {
  const path = `/socket.io/?EIO=${revision}&transport=websocket`;
  const client = await FrameCounter.open(port, path, heard);
  // Engine.IO 3 opens the namespace by itself.
  if (revision === 3) await client.atLeast(2);
  else {
    await client.atLeast(1);
    client.send('40');
    await client.atLeast(2);
  }
  return client;
}

/** Resolves when the subscription is answered, or where none is, when a ping behind it is. */
export async function subscribePage(
  dialect: EchoDialect,
  client: FrameCounter,
  channel: string,
): Promise<void> {
  const { frames } = client;
  client.send(`42${dialect.answer === 'ack' ? '0' : ''}["subscribe",{"channel":"${channel}"}]`);
  // Engine.IO 3's client pings.
  if (dialect.answer === 'none') client.send('2');
  await client.atLeast(frames + 1);
}

/** Asks for a channel that Laravel decides about; whose answer, if any, is not waited for. */
export function askFor(client: FrameCounter, channel: string, user = 0): void {
  const auth = `{"headers":{"Authorization":"Bearer ${user}"}}`;
  client.send(`42["subscribe",{"channel":"${channel}","auth":${auth}}]`);
}

export function leavePage(client: FrameCounter, channel: string): void {
  client.send(`42["unsubscribe",{"channel":"${channel}"}]`);
}

export async function approachRoom(
  dialect: EchoDialect,
  port: number,
  room: string,
  user: number,
  heard: (text: string) => void,
): Promise<Member> {
  const client = await connectPage(dialect, port, heard);
  return {
    join: async () => askFor(client, `presence-${room}`, user),
    leave: () => leavePage(client, `presence-${room}`),
    close: () => client.close(),
  };
}

const KINDS = {
  'presence:subscribed': 'list',
  'presence:joining': 'joined',
  'presence:leaving': 'left',
} as const;

export function readPresenceEvent(text: string): Membership | null {
  const event = /^42\["(presence:\w+)"/.exec(text)?.[1];
  if (event === undefined || !Object.hasOwn(KINDS, event)) return null;
  const kind = KINDS[event as keyof typeof KINDS];
  return { kind, users: Array.from(text.matchAll(/"user_id":(\d+)/g), ([, id]) => Number(id)) };
}

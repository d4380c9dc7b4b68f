import { FrameCounter } from '../frame-counter.ts';
import { type Build, startNode } from '../node.ts';
import { type BusKind, settingsOf } from './bus-kind.ts';
import type { Membership, PresenceTarget } from './target.ts';
import { token } from './token.ts';

export const yamabikoRaw = rawDoor('plain');
/** With `since`, as clients ask that want what they missed: each message bears its position. */
export const yamabikoRawLog = rawDoor('log');

/** @param build another one's server/main.js, and what it is called */
export function rawDoor(bus: BusKind, build?: Build): PresenceTarget {
  const query = bus === 'log' ? '&since=' : '';
  return {
    name: `Yamabiko raw${bus === 'plain' ? '' : ' on the log'}${build?.name ?? ''}`,
    start: ({ redisUrl, authUrl }) =>
      startNode(redisUrl, { ...settingsOf(bus), YAMABIKO_AUTH_URL: authUrl }, build?.server),
    async open(port, channel) {
      // One user for all: a thousand users would announce each other a million times before the run.
      const client = await FrameCounter.open(port, `/?token=${token(channel, 1)}${query}`);
      await client.atLeast(1);
      return client;
    },
    publication: (channel, data) => ({
      channel: 'laravel_database_broadcast',
      payload: `{"channel":"${channel}","data":${data},"type":"message"}`,
    }),
    async approach(port, room, user, heard) {
      const path = `/?token=${token(room, user)}${query}`;
      let client: FrameCounter | null = null;
      const close = () => client?.close();
      const join = async () => {
        client = await FrameCounter.open(port, path, heard);
      };
      return { join, leave: close, close };
    },
    readMembers,
  };
}

const KINDS = { connected: 'list', connectOther: 'joined', disconnectOther: 'left' } as const;

function readMembers(text: string): Membership | null {
  const type = /^\{"type":"(\w+)"/.exec(text)?.[1] ?? '';
  if (!Object.hasOwn(KINDS, type)) return null;
  const kind = KINDS[type as keyof typeof KINDS];
  const users = Array.from(text.matchAll(/"id":(\d+)/g), ([, id]) => Number(id));
  // An announcement names him twice: as `sender`, and as `user`.
  return { kind, users: kind === 'list' ? users : users.slice(0, 1) };
}

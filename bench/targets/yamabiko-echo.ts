import { type Build, startNode } from '../node.ts';
import { type BusKind, settingsOf } from './bus-kind.ts';
import {
  approachRoom,
  askFor,
  connectPage,
  type EchoDialect,
  leavePage,
  readPresenceEvent,
  subscribePage,
} from './echo-client.ts';
import { laravelPublication } from './laravel-publication.ts';
import type { PresenceTarget, PrivateTarget } from './target.ts';

const DIALECT: EchoDialect = { revision: 4, answer: 'event' };

export const yamabikoEcho = echoDoor('plain');
export const yamabikoEchoLog = echoDoor('log');

/** @param build another one's server/main.js, and what it is called */
export function echoDoor(bus: BusKind, build?: Build): PresenceTarget & PrivateTarget {
  return {
    name: `Yamabiko Echo${bus === 'plain' ? '' : ' on the log'}${build?.name ?? ''}`,
    start: ({ redisUrl, authUrl }) =>
      startNode(redisUrl, { ...settingsOf(bus), YAMABIKO_AUTH_URL: authUrl }, build?.server),
    async open(port, channel) {
      const client = await connectPage(DIALECT, port);
      await subscribePage(DIALECT, client, channel);
      return client;
    },
    publication: laravelPublication,
    approach: (...args) => approachRoom(DIALECT, ...args),
    readMembers: readPresenceEvent,
    connect: (port) => connectPage(DIALECT, port),
    subscribe: askFor,
    unsubscribe: leavePage,
  };
}

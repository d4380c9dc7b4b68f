import { type Build, startNode } from '../node.ts';
import { type BusKind, settingsOf } from './bus-kind.ts';
import { echoTarget } from './echo-target.ts';
import type { PresenceTarget, PrivateTarget } from './target.ts';

export const yamabikoEcho = echoDoor('plain');
export const yamabikoEchoLog = echoDoor('log');

/** @param build another one's server/main.js, and what it is called */
export function echoDoor(bus: BusKind, build?: Build): PresenceTarget & PrivateTarget {
  return {
    ...echoTarget({ revision: 4, answer: 'event' }),
    name: `Yamabiko Echo${bus === 'plain' ? '' : ' on the log'}${build?.name ?? ''}`,
    start: ({ redisUrl, authUrl }) =>
      startNode(redisUrl, { ...settingsOf(bus), YAMABIKO_AUTH_URL: authUrl }, build?.server),
  };
}

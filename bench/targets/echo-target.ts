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

/** All but its name and how it is started: servers that speak Echo's protocol differ in their dialect alone. */
export function echoTarget(dialect: EchoDialect): Omit<PresenceTarget & PrivateTarget, 'name' | 'start'> {
  return {
    async open(port, channel) {
      const client = await connectPage(dialect, port);
      await subscribePage(dialect, client, channel);
      return client;
    },
    publication: laravelPublication,
    approach: (...args) => approachRoom(dialect, ...args),
    readMembers: readPresenceEvent,
    connect: (port) => connectPage(dialect, port),
    subscribe: askFor,
    unsubscribe: leavePage,
  };
}

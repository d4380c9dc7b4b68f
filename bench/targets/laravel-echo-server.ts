import { freePort } from '../child.ts';
import { startPeer } from '../peers.ts';
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

const DIALECT: EchoDialect = { revision: 3, answer: 'none' };

export const laravelEchoServer: PresenceTarget & PrivateTarget = {
  name: 'laravel-echo-server 1.6.3',
  start: async ({ redisUrl, authUrl }) =>
    startPeer('laravel-echo-server.mjs', [redisUrl, authUrl, String(await freePort())]),
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

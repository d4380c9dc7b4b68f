import { startPeer } from '../peers.ts';
import { connectPage, type EchoDialect, subscribePage } from './echo-client.ts';
import { laravelPublication } from './laravel-publication.ts';
import type { Target } from './target.ts';

const DIALECT: EchoDialect = { revision: 4, answer: 'ack' };

/** Written by hand: `io.local.to().emit` on each node. */
export const socketIo = byHand('Socket.IO by hand', 'local');
/** The same through redis-adapter's broadcast, as its documentation shows. */
export const socketIoAdapter = byHand('Socket.IO + redis-adapter', 'adapter');

function byHand(name: string, way: string): Target {
  return {
    name,
    start: ({ redisUrl }) => startPeer('socket-io.mjs', [redisUrl, way]),
    async open(port, channel) {
      const client = await connectPage(DIALECT, port);
      await subscribePage(DIALECT, client, channel);
      return client;
    },
    publication: laravelPublication,
  };
}

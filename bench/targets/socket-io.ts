import { startPeer } from '../peers.ts';
import { echoTarget } from './echo-target.ts';
import type { Target } from './target.ts';

const { open, publication } = echoTarget({ revision: 4, answer: 'ack' });

/** Written by hand: `io.local.to().emit` on each node. */
export const socketIo = byHand('Socket.IO by hand', 'local');
/** The same through redis-adapter's broadcast, as its documentation shows. */
export const socketIoAdapter = byHand('Socket.IO + redis-adapter', 'adapter');

function byHand(name: string, way: string): Target {
  return {
    name,
    start: ({ redisUrl }) => startPeer('socket-io.mjs', [redisUrl, way]),
    open,
    publication,
  };
}

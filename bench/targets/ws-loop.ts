import { FrameCounter } from '../frame-counter.ts';
import { startPeer } from '../peers.ts';
import type { Target } from './target.ts';

/** The control row: what anybody would write by hand with `ws`. */
export const wsLoop: Target = {
  name: 'ws loop',
  start: ({ redisUrl }) => startPeer('ws-loop.mjs', [redisUrl]),
  async open(port, channel) {
    const client = await FrameCounter.open(port, `/${channel}`);
    await client.atLeast(1);
    return client;
  },
  publication: (channel, data) => ({ channel: `bench:${channel}`, payload: `{"data":${data}}` }),
};

import { freePort } from '../child.ts';
import { startPeer } from '../peers.ts';
import { echoTarget } from './echo-target.ts';
import type { PresenceTarget, PrivateTarget } from './target.ts';

export const laravelEchoServer: PresenceTarget & PrivateTarget = {
  ...echoTarget({ revision: 3, answer: 'none' }),
  name: 'laravel-echo-server 1.6.3',
  start: async ({ redisUrl, authUrl }) =>
    startPeer('laravel-echo-server.mjs', [redisUrl, authUrl, String(await freePort())]),
};

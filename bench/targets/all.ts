import { laravelEchoServer } from './laravel-echo-server.ts';
import { socketIo, socketIoAdapter } from './socket-io.ts';
import type { PresenceTarget, PrivateTarget, Target } from './target.ts';
import { wsLoop } from './ws-loop.ts';
import { yamabikoEcho, yamabikoEchoLog } from './yamabiko-echo.ts';
import { yamabikoRaw, yamabikoRawLog } from './yamabiko-raw.ts';

/** Everything that a page can hear Laravel's events by. */
export const DOORS: readonly Target[] = [
  laravelEchoServer,
  socketIo,
  socketIoAdapter,
  wsLoop,
  yamabikoEcho,
  yamabikoRaw,
  yamabikoEchoLog,
  yamabikoRawLog,
];

/** Those that keep member lists. */
export const LISTS: readonly PresenceTarget[] = [laravelEchoServer, yamabikoEcho, yamabikoRaw];

/** Those that ask Laravel who may hear what. */
export const PRIVATE: readonly PrivateTarget[] = [laravelEchoServer, yamabikoEcho, yamabikoEchoLog];

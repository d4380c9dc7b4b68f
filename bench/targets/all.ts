import { laravelEchoServer } from './laravel-echo-server.ts';
import { socketIo, socketIoAdapter } from './socket-io.ts';
import type { PresenceTarget, PrivateTarget, Target } from './target.ts';
import { wsLoop } from './ws-loop.ts';
import { echoDoor, yamabikoEcho, yamabikoEchoLog } from './yamabiko-echo.ts';
import { rawDoor, yamabikoRaw, yamabikoRawLog } from './yamabiko-raw.ts';

/** server/main.js of another build, to be measured in the same run: what a change has given. */
const { BENCH_BEFORE } = process.env;
const before = BENCH_BEFORE === undefined ? null : { name: ' before', server: BENCH_BEFORE };

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
  ...(before === null ? [] : [echoDoor('plain', before), rawDoor('plain', before)]),
];

/** Those that keep member lists. */
export const LISTS: readonly PresenceTarget[] = [laravelEchoServer, yamabikoEcho, yamabikoRaw];

/** Those that ask Laravel who may hear what. */
export const PRIVATE: readonly PrivateTarget[] = [laravelEchoServer, yamabikoEcho, yamabikoEchoLog];

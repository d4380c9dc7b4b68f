import type { MeasureKey } from './measures.ts';
import { laravelEchoServer } from './targets/laravel-echo-server.ts';
import { socketIo } from './targets/socket-io.ts';
import type { Target } from './targets/target.ts';
import { wsLoop } from './targets/ws-loop.ts';
import { yamabikoEcho, yamabikoEchoLog } from './targets/yamabiko-echo.ts';
import { yamabikoRaw, yamabikoRawLog } from './targets/yamabiko-raw.ts';

/** At most so much of what another takes, both measured in one round. */
export interface Goal {
  readonly measure: MeasureKey;
  readonly target: string;
  readonly base: string;
  readonly must: number;
  readonly aim: number;
}

/** Echo against a hand-written Socket.IO, raw against a bare `ws` loop: must, aim. */
const PLAIN: readonly (readonly [MeasureKey, readonly [number, number], readonly [number, number]])[] = [
  ['singleCpu', [0.65, 0.55], [0.85, 0.75]],
  ['burstCpu', [0.15, 0.1], [0.15, 0.1]],
  ['largeCpu', [0.2, 0.15], [0.22, 0.16]],
  ['smallCpu', [0.8, 0.7], [1, 0.85]],
  ['idleMemory', [1.1, 1], [1.5, 1.3]],
  ['stormCpu', [1.2, 1], [4, 3]],
  ['pacedP50', [0.85, 0.75], [1, 0.9]],
];
/** The log against the plain bus: single events may cost more, fan-out nothing. */
const LOG: readonly (readonly [MeasureKey, number])[] = [
  ['singleCpu', 1.3],
  ['smallCpu', 1.3],
  ['fullCpu', 1],
  ['burstCpu', 1],
  ['largeCpu', 1],
];

export const GOALS: readonly Goal[] = [
  ...PLAIN.map(([measure, echo]) => goal(measure, yamabikoEcho, socketIo, ...echo)),
  ...PLAIN.map(([measure, , raw]) => goal(measure, yamabikoRaw, wsLoop, ...raw)),
  goal('presence300Ms', yamabikoEcho, laravelEchoServer, 1.3, 1.3),
  ...LOG.map(([measure, must]) => goal(measure, yamabikoEchoLog, yamabikoEcho, must, must)),
  ...LOG.map(([measure, must]) => goal(measure, yamabikoRawLog, yamabikoRaw, must, must)),
];

function goal(measure: MeasureKey, target: Target, base: Target, must: number, aim: number): Goal {
  return { measure, target: target.name, base: base.name, must, aim };
}

import type { Redis } from 'ioredis';
import { DUE, LIST, LIVING, RENEW, SCHEDULE, SETTLE, VOUCH } from './node-scripts.ts';

type Script = (key: string, ...args: (string | number)[]) => Promise<unknown>;

/** The scripts that are not of one room, as ioredis adds them to a client. */
interface NodeCommands {
  yamabikoRenew: Script;
  yamabikoLiving: Script;
  yamabikoVouch: Script;
  yamabikoList: Script;
  yamabikoSchedule: Script;
  yamabikoDue: Script;
  yamabikoSettle: Script;
}

/** Idempotent; before the first use of a client for leases and dates. */
export function defineNodeCommands(redis: Redis): void {
  const scripts: Record<keyof NodeCommands, string> = {
    yamabikoRenew: RENEW,
    yamabikoLiving: LIVING,
    yamabikoVouch: VOUCH,
    yamabikoList: LIST,
    yamabikoSchedule: SCHEDULE,
    yamabikoDue: DUE,
    yamabikoSettle: SETTLE,
  };
  for (const [name, lua] of Object.entries(scripts)) redis.defineCommand(name, { numberOfKeys: 1, lua });
}

export function nodeCommands(redis: Redis): NodeCommands {
  return redis as unknown as NodeCommands;
}

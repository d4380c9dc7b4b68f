import type { Redis } from 'ioredis';
import type { Config } from '../../../config/settings.ts';
import type { ChannelSample } from '../../broker/strays/sample-channels.ts';

/** `fault`: it does not work so. `warning`: it may not, or not safely. `note`: could not be looked at, or is good to know. */
export type Level = 'ok' | 'note' | 'warning' | 'fault';

/** One line for a person. */
export interface Finding {
  readonly level: Level;
  readonly says: string;
  /** What to do; null where nothing is to be done. */
  readonly cure: string | null;
}

export interface Surroundings {
  readonly config: Config;
  readonly warnings: readonly string[];
  /** Laravel's `.env`, where it was found; else null. */
  readonly laravelEnv: Readonly<Record<string, string>> | null;
  /** APP_URL, given or of Laravel's `.env`. */
  readonly appUrl: string | null;
  /** Where browsers reach the server, as `--url` says; else null. */
  readonly publicUrl: string | null;
  /** A token to look at, as Laravel gave it; else null. */
  readonly token: string | null;
  /** Connected; null where there is none or it does not answer, which the check `redis` tells. */
  readonly redis: Redis | null;
  /** What was heard on Redis, asked for once. @throws what Redis answers */
  sample(): Promise<ChannelSample>;
  /** What Laravel's endpoint answers to a guest, asked for once; null: no endpoint is set. */
  askLaravel(): Promise<LaravelReply | null>;
}

export type LaravelReply =
  | {
      readonly status: number;
      readonly body: string;
      readonly type: string;
      readonly date: string | null;
      readonly location: string | null;
    }
  /** No answer; a code such as ECONNREFUSED. */
  | { readonly failed: string };

export interface Check {
  readonly name: string;
  /** @returns none where there is nothing to look at */
  run(surroundings: Surroundings): Promise<readonly Finding[]>;
}

export const ok = (says: string): Finding => ({ level: 'ok', says, cure: null });
export const note = (says: string, cure: string | null = null): Finding => ({ level: 'note', says, cure });
export const warning = (says: string, cure: string): Finding => ({ level: 'warning', says, cure });
export const fault = (says: string, cure: string): Finding => ({ level: 'fault', says, cure });

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse as parseDotenv } from 'dotenv';
import type { Redis } from 'ioredis';
import { parseUrl } from '../../../config/kinds.ts';
import type { Config } from '../../../config/settings.ts';
import { sampleChannels } from '../../broker/strays/sample-channels.ts';
import { CommandError, EXIT } from '../command-error.ts';
import type { Terminal } from '../terminal.ts';
import { askLaravel } from './ask-laravel.ts';
import type { Surroundings } from './check.ts';
import { openRedis } from './open-redis.ts';

export interface DoctorOptions {
  readonly url?: string;
  readonly laravel?: string;
  readonly appUrl?: string;
  readonly token?: string;
  /** Seconds. */
  readonly listen: string;
}

const MAX_LISTEN_SECONDS = 3_600;
const MAX_MESSAGES = 10_000;

/** Everything that the checks look at; each question is asked once, however many want its answer. */
export async function lookAround(
  { config, warnings }: { readonly config: Config; readonly warnings: readonly string[] },
  options: DoctorOptions,
  { cwd, env }: Terminal,
): Promise<Surroundings> {
  const durationMs = listenMs(options.listen);
  const publicUrl = options.url === undefined ? null : requireUrl('--url', options.url);
  const laravelEnv = readLaravelEnv(options.laravel, cwd);
  const { url } = config.redis;
  const redis = url === null ? null : await connected({ ...config.redis, url });
  return {
    config,
    warnings,
    laravelEnv,
    publicUrl,
    appUrl: options.appUrl ?? laravelEnv?.APP_URL ?? env.APP_URL ?? null,
    token: options.token ?? null,
    redis,
    sample: once(() =>
      sampleChannels({ ...config.redis, url: url ?? '' }, { durationMs, maxMessages: MAX_MESSAGES }),
    ),
    askLaravel: once(async () => (config.auth.url === null ? null : askLaravel(config.auth.url))),
  };
}

async function connected(settings: Parameters<typeof openRedis>[0]): Promise<Redis | null> {
  const opened = await openRedis(settings);
  return 'redis' in opened ? opened.redis : null;
}

/** `--laravel`, else the working directory if it is an app's. */
function readLaravelEnv(folder: string | undefined, cwd: string): Record<string, string> | null {
  if (folder === undefined && !existsSync(resolve(cwd, 'artisan'))) return null;
  const file = resolve(cwd, folder ?? '.', '.env');
  try {
    return parseDotenv(readFileSync(file, 'utf8'));
  } catch (error) {
    if (folder === undefined) return null;
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandError(`--laravel: ${file} cannot be read (${code})`, EXIT.usage);
  }
}

function listenMs(text: string): number {
  const seconds = /^\d{1,4}(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= MAX_LISTEN_SECONDS) return seconds * 1000;
  throw new CommandError(
    `--listen: must be seconds from 0 to ${MAX_LISTEN_SECONDS} (got ${text})`,
    EXIT.usage,
  );
}

function requireUrl(flag: string, text: string): string {
  const url = parseUrl(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return url.origin;
  throw new CommandError(
    `${flag}: must be a whole URL that begins with http:// or https:// (got ${text})`,
    EXIT.usage,
  );
}

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | null = null;
  return () => {
    answer ??= ask();
    return answer;
  };
}

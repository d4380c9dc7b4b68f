import { setTimeout as sleep } from 'node:timers/promises';
import { createRedis, type RedisSettings } from '../redis/redis-connections.ts';
import { judgeChannel } from './judge-channel.ts';

/** Events under one prefix where nobody listens. */
export interface StrayEvents {
  /** Null where the channel's name does not tell it. */
  readonly prefix: string | null;
  readonly count: number;
  /** One of the channels. */
  readonly channel: string;
}

export interface ChannelSample {
  /** Messages of all kinds. */
  readonly heard: number;
  /** By wire name, of those that we do hear: how many. */
  readonly own: ReadonlyMap<string, number>;
  /** The most frequent first. */
  readonly strays: readonly StrayEvents[];
}

export interface SampleBounds {
  readonly durationMs: number;
  /** Then it ends before its time: all channels of a busy Redis are more than a node can read. */
  readonly maxMessages: number;
  readonly signal?: AbortSignal;
}

const MAX_NAMES = 1_000;
const MAX_PREFIXES = 20;

/**
 * Hears everything that is published on Redis for a moment, on a connection of its own, which is then closed.
 * @throws what Redis answers, NOPERM among it: `PSUBSCRIBE *` needs the right to all channels
 */
export async function sampleChannels(
  settings: RedisSettings,
  { durationMs, maxMessages, signal }: SampleBounds,
): Promise<ChannelSample> {
  const redis = createRedis(settings, 'yamabiko-sample');
  let failure: unknown = null;
  const full = new AbortController();
  const own = new Map<string, number>();
  const strays = new Map<string | null, { prefix: string | null; count: number; channel: string }>();
  let heard = 0;
  redis.on('error', (error: unknown) => {
    failure ??= error;
  });
  redis.on('pmessageBuffer', (_pattern: string, name: Buffer, payload: Buffer) => {
    heard += 1;
    if (heard >= maxMessages) full.abort();
    const judged = judgeChannel(name.toString(), payload, settings);
    if (judged === null) return;
    if (judged.kind === 'own') {
      if (own.has(judged.wire) || own.size < MAX_NAMES) own.set(judged.wire, (own.get(judged.wire) ?? 0) + 1);
      return;
    }
    const { prefix, channel } = judged;
    const known = strays.get(prefix);
    if (known !== undefined) known.count += 1;
    else if (strays.size < MAX_PREFIXES) strays.set(prefix, { prefix, count: 1, channel });
  });
  const ended = AbortSignal.any([full.signal, ...(signal === undefined ? [] : [signal])]);
  try {
    await redis.connect();
    await redis.psubscribe('*');
    // Broken off, it has heard what it has heard.
    await sleep(durationMs, null, { signal: ended }).catch(() => null);
  } catch (error) {
    throw failure ?? error;
  } finally {
    redis.disconnect();
  }
  return { heard, own, strays: [...strays.values()].sort((a, b) => b.count - a.count) };
}

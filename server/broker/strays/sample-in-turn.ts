import { createRedis, type RedisSettings } from '../redis/redis-connections.ts';
import { homeKey } from '../redis/redis-locate.ts';
import { type ChannelSample, sampleChannels } from './sample-channels.ts';

/** Long enough to hear a busy app, and so few messages that no node is busy with it. */
const SAMPLE_MS = 1_000;
const MAX_MESSAGES = 1_000;

/**
 * As `sampleChannels`, by one node of all in each interval.
 * @returns null where it is another node's turn @throws what Redis answers
 */
export async function sampleInTurn(
  settings: RedisSettings,
  intervalMs: number,
  signal: AbortSignal,
): Promise<ChannelSample | null> {
  const redis = createRedis(settings, 'yamabiko-turn');
  let failure: unknown = null;
  redis.on('error', (error: unknown) => {
    failure ??= error;
  });
  try {
    await redis.connect();
    // Ends before the next interval begins, or who had it last would miss every second one.
    const key = `${homeKey(settings.prefix)}:sampling`;
    const mine = await redis.set(key, '1', 'PX', Math.ceil(intervalMs * 0.9), 'NX');
    if (mine === null) return null;
  } catch (error) {
    throw failure ?? error;
  } finally {
    redis.disconnect();
  }
  const durationMs = Math.min(SAMPLE_MS, intervalMs);
  return sampleChannels(settings, { durationMs, maxMessages: MAX_MESSAGES, signal });
}

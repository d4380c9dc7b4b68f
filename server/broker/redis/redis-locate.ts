import type { Redis } from 'ioredis';
import { parseRedisUrl, type RedisAddress } from '../../domain/redis-url.ts';
import { createAsker } from './redis-clients.ts';
import type { RedisSettings } from './redis-connections.ts';
import { RedisHome } from './redis-home.ts';
import { NO_SENTINEL } from './redis-refused.ts';

/**
 * A key that nobody ever writes. With a Cluster its slot's master is the one that all nodes publish to and hear;
 * asking for it, or "writing it if it is there", tells without any change who that is and whether it takes writes.
 */
export function homeKey(prefix: string): string {
  return `${prefix}yamabiko:{home}`;
}

/** @returns null where the URL itself says where it is */
export function createHome(settings: RedisSettings): RedisHome | null {
  const target = parseRedisUrl(settings.url);
  const { kind, nodes, master } = target;
  if (kind === 'single') return null;
  const key = homeKey(settings.prefix);
  const ask =
    kind === 'sentinel'
      ? (asker: Redis) => masterOfSentinel(asker, master)
      : (asker: Redis, asked: RedisAddress) => masterOfSlot(asker, asked, key);
  let order = [...nodes];
  return new RedisHome(async () => {
    const reasons: string[] = [];
    let cause: unknown;
    for (const address of order) {
      try {
        const home = await askOne(createAsker(settings, target, address), (asker) => ask(asker, address));
        // Who answered is asked first the next time.
        order = [address, ...order.filter((other) => other !== address)];
        return home;
      } catch (err) {
        cause = err;
        reasons.push(`${address.host}:${address.port}: ${err instanceof Error ? err.message : err}`);
      }
    }
    const who = kind === 'sentinel' ? NO_SENTINEL : 'no node of the Cluster answers';
    throw new Error(`${who} (${reasons.join('; ')})`, { cause });
  });
}

async function askOne(asker: Redis, ask: (asker: Redis) => Promise<RedisAddress>): Promise<RedisAddress> {
  let failure: Error | null = null;
  // The question itself fails with "Connection is closed", which says less.
  asker.on('error', (error: Error) => {
    failure ??= error;
  });
  try {
    return await ask(asker);
  } catch (error) {
    throw failure ?? error;
  } finally {
    asker.disconnect();
  }
}

async function masterOfSentinel(sentinel: Redis, name: string): Promise<RedisAddress> {
  const reply = await sentinel.call('SENTINEL', 'get-master-addr-by-name', name);
  if (!Array.isArray(reply)) throw new Error(`it knows no master named ${name}`);
  return { host: String(reply[0]), port: Number(reply[1]) };
}

/** Whoever holds the slot answers; the others say who does. */
async function masterOfSlot(node: Redis, asked: RedisAddress, key: string): Promise<RedisAddress> {
  try {
    await node.exists(key);
    return asked;
  } catch (error) {
    const moved = /^MOVED \d+ (.*):(\d+)$/.exec((error as Error).message);
    // ASK is said by the one that still holds it.
    if (moved === null && !(error as Error).message.startsWith('ASK ')) throw error;
    return moved === null ? asked : { host: moved[1] || asked.host, port: Number(moved[2]) };
  }
}

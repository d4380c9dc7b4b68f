import { CUSTOM_CHANNEL, type ReservedNames } from '../server/domain/channel-name.ts';
import type { Config } from './settings.ts';

/** The names that no channel may have in this deployment (protocol.md section 1). */
export function reservedNames({ redis: { prefix, broadcastPrefix } }: Pick<Config, 'redis'>): ReservedNames {
  const names = new Set([CUSTOM_CHANNEL]);
  // Where the two prefixes differ, a channel could be named like the custom channel as Redis knows it.
  const custom = `${broadcastPrefix}${CUSTOM_CHANNEL}`;
  if (custom.startsWith(prefix)) names.add(custom.slice(prefix.length));
  return { redisPrefix: prefix, names };
}

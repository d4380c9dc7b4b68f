import type { Config } from '../../config/settings.ts';
import type { ReservedNames } from '../domain/channel-name.ts';

/** The names that no channel may have, as the server sees it (protocol.md section 1). */
export function reservedNames({ redis }: Config): ReservedNames {
  return { redisPrefix: redis.prefix, names: new Set(['broadcast']) };
}

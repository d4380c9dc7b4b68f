import type { AccessQuestion, Handshake } from '../../../server/access/access.ts';
import { parseChannelName, type ReservedNames } from '../../../server/domain/channel-name.ts';
import { isRejection } from '../../../server/domain/outcome.ts';

export const RESERVED: ReservedNames = { redisPrefix: 'laravel_database_', names: new Set(['broadcast']) };

const HANDSHAKE: Handshake = {
  address: '203.0.113.9',
  cookie: 'laravel_session=abc',
  userAgent: 'Browser/1',
};

/** A question as a connection would ask it. */
export function question(
  wire: string,
  auth: unknown = {},
  more: { handshake?: Partial<Handshake>; socketId?: string; signal?: AbortSignal } = {},
): AccessQuestion {
  const channel = parseChannelName(wire, RESERVED);
  if (isRejection(channel)) throw new Error(channel.message);
  return {
    channel,
    auth,
    handshake: { ...HANDSHAKE, ...more.handshake },
    socketId: more.socketId ?? '12.34',
    signal: more.signal ?? new AbortController().signal,
  };
}

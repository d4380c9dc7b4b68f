import { type Rejection, reject } from './outcome.ts';

export type ChannelKind = 'public' | 'private' | 'presence' | 'encrypted';

/** A channel's wire name, taken apart: `presence-chat:1` is kind `presence` of base `chat:1`. */
export interface ChannelName {
  readonly wire: string;
  readonly kind: ChannelKind;
  /** The X of protocol.md: the wire name without Echo's prefix. */
  readonly base: string;
}

/**
 * The custom channel's name, as Laravel publishes to it and as the bus calls it (protocol.md section 4). No channel of
 * clients may be named so.
 */
export const CUSTOM_CHANNEL = 'broadcast';

/** What a deployment reserves besides protocol.md section 1. */
export interface ReservedNames {
  /** Redis prefix; where it is not empty no channel may begin with it. */
  readonly redisPrefix: string;
  /** Whole base names that are taken, `broadcast` among them. */
  readonly names: ReadonlySet<string>;
}

/** Longest base name, in bytes of UTF-8. */
const MAX_BYTES = 200;

// Anchored and lower case; the longer prefix first, or `private-encrypted-x` would be private.
const PREFIXES = [
  ['private-encrypted-', 'encrypted'],
  ['private-', 'private'],
  ['presence-', 'presence'],
] as const;

const FORBIDDEN_CHARACTERS = /[\s\p{Cc}]/u;

/**
 * The one verdict on a wire name, the same at every way in (protocol.md section 1).
 * @returns the name taken apart, or `invalid_channel`
 */
export function parseChannelName(wire: unknown, reserved: ReservedNames): ChannelName | Rejection {
  if (typeof wire !== 'string') return reject('invalid_channel', 'a channel name must be a string');
  const [prefix, kind] = PREFIXES.find(([p]) => wire.startsWith(p)) ?? (['', 'public'] as const);
  const base = wire.slice(prefix.length);
  const fault = faultOf(base, reserved);
  return fault === null ? { wire, kind, base } : reject('invalid_channel', fault);
}

/** The same verdict for a JWT's `channel` claim or a custom message's `channel`: a base name, no Echo prefix. */
export function parseBaseName(base: unknown, reserved: ReservedNames): string | Rejection {
  if (typeof base !== 'string') return reject('invalid_channel', 'a channel name must be a string');
  const fault = faultOf(base, reserved);
  return fault === null ? base : reject('invalid_channel', fault);
}

function faultOf(base: string, reserved: ReservedNames): string | null {
  if (base === '') return 'a channel name must not be empty';
  // Cheap bound first: a code unit is at least one byte, so no megabyte is measured or matched.
  if (base.length > MAX_BYTES || Buffer.byteLength(base) > MAX_BYTES)
    return `a channel name has at most ${MAX_BYTES} bytes`;
  if (!base.isWellFormed() || FORBIDDEN_CHARACTERS.test(base))
    return 'a channel name has no white space and no control characters';
  if (base.startsWith('#')) return 'a channel name must not begin with #';
  if (PREFIXES.some(([p]) => base.startsWith(p))) return 'a channel name has one Echo prefix at most';
  if (reserved.names.has(base)) return `the channel name ${base} is reserved`;
  if (reserved.redisPrefix !== '' && base.startsWith(reserved.redisPrefix))
    return 'a channel name must not begin with the Redis prefix';
  return null;
}

import { decodePayload, isDropped } from '../bus/laravel-wire.ts';

/** What a message on some Redis channel is to this deployment; null: none of its business. */
export type Judged =
  | { readonly kind: 'own'; readonly wire: string }
  /** Laravel's event, but where we do not listen. */
  | { readonly kind: 'stray'; readonly channel: string; readonly prefix: string | null };

export interface Prefixes {
  readonly prefix: string;
  readonly broadcastPrefix: string;
}

const INTERNAL = '#yamabiko:';
/** Larger ones are not looked into: an event is told by its beginning no less, but parsing all would cost. */
const MAX_PARSED_BYTES = 65_536;

/** Whether we would hear what Laravel says there, and if not, under which prefix it says it. */
export function judgeChannel(
  channel: string,
  payload: Buffer,
  { prefix, broadcastPrefix }: Prefixes,
): Judged | null {
  if (channel.includes(INTERNAL) || channel.startsWith('__')) return null;
  if (channel === `${broadcastPrefix}broadcast`) return { kind: 'own', wire: 'broadcast' };
  const said = saidBy(payload);
  if (said === null) return null;
  if (channel.startsWith(prefix)) {
    const wire = channel.slice(prefix.length);
    const second = guessedPrefix(wire, said);
    // With an empty prefix every name is ours; and a client that adds the prefix again doubles it.
    const isStray = prefix === '' ? second !== null && second !== '' : wire.startsWith(prefix);
    if (!isStray) return { kind: 'own', wire };
  }
  return { kind: 'stray', channel, prefix: guessedPrefix(channel, said) };
}

/** Laravel's broadcaster and the custom channel; what nodes tell each other has neither form. */
function saidBy(payload: Buffer): 'event' | 'message' | null {
  if (payload.length > MAX_PARSED_BYTES) return null;
  const decoded = decodePayload(payload);
  if (isDropped(decoded)) return null;
  const { event, channel, data } = decoded.parsed;
  if (typeof event === 'string' && data !== undefined) return 'event';
  return typeof channel === 'string' && data !== undefined ? 'message' : null;
}

/** What stands before Laravel's own part of the name: exact for private and presence, by Laravel's habit for public. */
function guessedPrefix(name: string, said: 'event' | 'message'): string | null {
  if (said === 'message') return name.endsWith('broadcast') ? name.slice(0, -'broadcast'.length) : null;
  const [, before] = /^(.*?)(?:private-|presence-)/.exec(name) ?? [];
  if (before !== undefined) return before;
  const [, habit] = /^(.*?[_-]database[_-])/.exec(name) ?? [];
  return habit ?? null;
}

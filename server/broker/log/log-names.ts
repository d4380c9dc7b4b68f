import { CUSTOM_CHANNEL } from '../../domain/channel-name.ts';
import { homeKey } from '../redis/redis-locate.ts';

/**
 * What the log means by an index. Nodes that count differently would write two orders, so they must not hear each
 * other's markers: whoever changes what is counted changes this.
 */
const FORMAT = 1;

/** The names that a log uses in Redis. The keys share the slot that all nodes publish to and hear at. */
export class LogNames {
  readonly custom: string;
  readonly marker: string;
  readonly gap: string;
  /** Hash: the log's last place. */
  readonly head: string;
  readonly stream: string;
  /** Stream: a writer that goes says so here. */
  readonly handover: string;
  /** Hash: how many probes and markers nobody heard. */
  readonly unheard: string;
  /** Whose prefix it is. */
  readonly owner: string;
  readonly trial: string;
  readonly pattern: string;
  readonly #prefix: string;
  readonly #uncounted: readonly string[];

  constructor({ prefix, broadcastPrefix }: { prefix: string; broadcastPrefix: string }) {
    const key = `${homeKey(prefix)}:log`;
    this.#prefix = prefix;
    this.custom = `${broadcastPrefix}${CUSTOM_CHANNEL}`;
    this.marker = `${prefix}#yamabiko:marker:${FORMAT}`;
    this.gap = `${prefix}#yamabiko:gap`;
    this.head = `${key}:head`;
    this.stream = `${key}:entries`;
    this.handover = `${key}:handover`;
    this.unheard = `${key}:unheard`;
    this.owner = `${key}:owner`;
    this.trial = `${key}:trial`;
    this.pattern = `${prefix.replaceAll(/[\\*?[\]]/g, '\\$&')}*`;
    // Questions between nodes, and what Redis itself tells of keys.
    this.#uncounted = [`${prefix}#yamabiko:peers`, '__key'];
  }

  /** The pattern does not match it, so it is subscribed by its name. */
  get customApart(): boolean {
    return !this.custom.startsWith(this.#prefix);
  }

  /** Whether a message is an entry of the log: the same answer on every node, whatever its settings. */
  counts(name: string): boolean {
    return !this.#uncounted.some((prefix) => name.startsWith(prefix));
  }

  /** Whether it is an entry, for an ear that hears everything. */
  hears(name: string): boolean {
    return (name.startsWith(this.#prefix) || name === this.custom) && this.counts(name);
  }

  /** The bus channels that a Redis name stands for: two where the custom channel bears a channel's whole name. */
  channelsOf(name: string): readonly string[] {
    const channel = name.startsWith(this.#prefix) ? name.slice(this.#prefix.length) : null;
    if (name !== this.custom) return channel === null || channel.startsWith('#yamabiko:') ? [] : [channel];
    return channel === null || channel === CUSTOM_CHANNEL ? [CUSTOM_CHANNEL] : [CUSTOM_CHANNEL, channel];
  }
}

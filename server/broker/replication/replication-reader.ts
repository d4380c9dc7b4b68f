import { setTimeout as sleep } from 'node:timers/promises';
import { parseRedisUrl, type RedisAddress } from '../../domain/redis-url.ts';
import { backoffMs } from '../redis/redis-clients.ts';
import type { RedisSettings } from '../redis/redis-connections.ts';
import type { RedisHome } from '../redis/redis-home.ts';
import { createHome } from '../redis/redis-locate.ts';
import { refusalOf } from '../redis/redis-refused.ts';
import type { ReplicationPlace } from './backlog.ts';
import { ReplicationProtocolError } from './command-stream.ts';
import { REPLICATION_RIGHTS } from './handshake.ts';
import type { Published } from './published.ts';
import { ReplicationLink, type Synced } from './replication-link.ts';

export interface ReplicationReaderOptions {
  readonly settings: RedisSettings;
  /**
   * A master that said nothing for so many milliseconds is taken for dead. It must be longer than its
   * `repl-ping-replica-period` (10 s as shipped), which is all that it says when nobody writes. Default 30,000.
   */
  readonly silenceMs?: number;
  /** Whether a message with this name is told at all; asked before its payload is held. Default: all are. */
  readonly wants?: (name: Buffer) => boolean;
  /** Before the first message of each connection. */
  readonly onSynced: (synced: Synced) => void;
  /** Each message once, in the master's order, each in the turn in which it came. */
  readonly onPublish: (published: Published) => void;
  /** A connection that was synced is gone; it comes back by itself, and says then whether anything is missing. */
  readonly onLost: (reason: Error) => void;
  /** An attempt failed, and the next one follows. RedisRefusedError, naming the right, where no retry will cure it. */
  readonly onFailed: (reason: Error) => void;
}

const SILENCE_MS = 30_000;

/**
 * Hears what is published as a replica does: from the replication stream, which the master counts by bytes and keeps
 * for a while (`repl-backlog-size`). So what is published while this is not connected is not lost, and everybody who
 * reads it has the same offsets. It keeps no data, and only a Redis of one's own lets it (docs/replication.md).
 */
export class ReplicationReader {
  readonly #options: ReplicationReaderOptions;
  readonly #address: RedisAddress | null;
  readonly #home: RedisHome | null;
  #link: ReplicationLink | null = null;
  #place: ReplicationPlace | null = null;
  /**
   * Of the last message told; nothing that matters lies between it and the place. A demoted master goes on to count
   * its own pings, so that the promoted one knows the place no more, but this one.
   */
  #toldPlace: ReplicationPlace | null = null;
  #synced = false;
  #failures = 0;
  /** Where the stream could not be read the last time. */
  #stuckAt: number | null = null;
  #stop: AbortController | null = null;

  constructor(options: ReplicationReaderOptions) {
    this.#options = options;
    this.#home = createHome(options.settings);
    this.#address = parseRedisUrl(options.settings.url).nodes[0] ?? null;
  }

  /** Everything up to here was told, whatever commands it was; null where nothing is known yet. */
  get place(): ReplicationPlace | null {
    return this.#link?.place ?? this.#place;
  }

  get synced(): boolean {
    return this.#synced;
  }

  /** @param from goes on behind it, if the master still can; null: from now on. */
  start(from: ReplicationPlace | null): void {
    this.stop();
    this.#place = from;
    this.#toldPlace = from;
    const stop = new AbortController();
    this.#stop = stop;
    void this.#run(stop.signal);
  }

  /** Nothing is told any more. It can be started again, from its `place` for instance. */
  stop(): void {
    this.#place = this.place;
    this.#stop?.abort();
    this.#stop = null;
    this.#link?.close(new Error('stopped'));
    this.#link = null;
    this.#synced = false;
  }

  /** For whoever knows by other means that this connection is dead, or that the master is elsewhere. */
  reconnect(reason: string): void {
    this.#link?.close(new Error(reason));
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const reason = await this.#connect(signal).catch((error: Error) => error);
      if (signal.aborted) return;
      this.#tell(reason);
      await sleep(backoffMs(this.#failures++), null, { signal }).catch(() => null);
    }
  }

  /** @returns why it ended */
  async #connect(signal: AbortSignal): Promise<Error> {
    const address = this.#home === null ? this.#address : await this.#home.locate(this);
    if (address === null || signal.aborted) return new Error('there is no Redis to connect to');
    const { settings, silenceMs = SILENCE_MS, wants = () => true } = this.#options;
    const link = new ReplicationLink({
      settings,
      address,
      from: [this.#place, this.#toldPlace].filter((place) => place !== null),
      silenceMs,
      wants,
      onPublish: (published) => this.#pass(published),
      onSynced: (synced) => this.#enter(synced),
    });
    this.#link = link;
    const reason = await link.ended;
    if (signal.aborted) return reason;
    this.#link = null;
    if (link.place !== null) this.#leave(link.place, reason);
    return reason;
  }

  #enter(synced: Synced): void {
    const { replid, offset } = synced.continued
      ? { ...(this.#toldPlace ?? synced), replid: synced.replid }
      : synced;
    this.#toldPlace = { replid, offset };
    this.#synced = true;
    this.#failures = 0;
    this.#options.onSynced(synced);
  }

  #pass(published: Published): void {
    this.#toldPlace = { replid: published.replid, offset: published.offset };
    this.#options.onPublish(published);
  }

  #tell(reason: Error): void {
    const { onLost, onFailed } = this.#options;
    const wasSynced = this.#synced;
    this.#synced = false;
    if (wasSynced) onLost(reason);
    else onFailed(refusalOf(reason, REPLICATION_RIGHTS) ?? reason);
  }

  /** What cannot be read twice at the same place will never be: better told as missing than asked for for ever. */
  #leave(place: ReplicationPlace, reason: Error): void {
    const unreadable = reason instanceof ReplicationProtocolError;
    const stuck = unreadable && place.offset === this.#stuckAt;
    this.#place = stuck ? null : place;
    if (stuck) this.#toldPlace = null;
    this.#stuckAt = unreadable ? place.offset : null;
  }
}

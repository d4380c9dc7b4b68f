import type { Redis } from 'ioredis';
import type { BrokerLog } from '../broker-log.ts';
import type { RedisConnections } from '../redis/redis-connections.ts';
import { createRedis } from '../redis/redis-connections.ts';
import type { LogCommands } from './log-commands.ts';
import type { LogNames } from './log-names.ts';
import { LogOpening } from './log-opening.ts';
import type { LogEntry, LogReader } from './log-reader.ts';
import { LogWriter } from './log-writer.ts';
import { OwnMarkers } from './own-markers.ts';
import { Ring, type RingBounds } from './ring.ts';

export interface LogCandidateOptions {
  readonly connections: RedisConnections;
  readonly names: LogNames;
  readonly commands: LogCommands;
  readonly reader: LogReader;
  readonly ringBounds: RingBounds;
  readonly log: BrokerLog;
  /** The oldest place that must be kept; null: all. */
  readonly keepFrom: () => string | null;
}

const TICK_MS = 50;
/** A loop that stood still for longer has not heard its timers; what it would conclude from them is wrong. */
const FROZEN_MS = 1000;
/** Pending for so long, somebody else should have written it: whoever is aligned does. */
const TAKEOVER_MS = { least: 250, spread: 100 };
/** An own marker that is in nobody's log for so long: nobody is aligned. */
const NOBODY_WRITES_MS = { least: 700, spread: 300 };
/** How often a writer publishes a marker, so that whoever comes is aligned, and every ring proved again. */
const MARKER_INTERVAL_MS = 500;
/** Published and not heard for so long: the subscription is half-dead. */
const DEAF_MS = 1500;
/** What a lost connection had heard is still written for so long. */
const FLUSH_MS = 2000;

/**
 * A node that hears what is published and can write it to the log. There is no leader: whoever is aligned may write,
 * and all would write the same. Usually one does, and the others see theirs written.
 */
export class LogCandidate {
  readonly #options: LogCandidateOptions;
  readonly #subscriber: Redis;
  readonly #opening: LogOpening;
  #ring: Ring;
  #writer: LogWriter;
  #markers: OwnMarkers;
  #timer: NodeJS.Timeout | null = null;
  #tickedAtMs = 0;
  #takeoverMs = jittered(TAKEOVER_MS);
  #nobodyWritesMs = jittered(NOBODY_WRITES_MS);
  #stopped = false;
  #behindSinceMs: number | null = null;
  /** The log was not there any more, or is another one. */
  #mayBeGone = false;
  #toldReason: string | null = null;
  /** Since the connection lives. */
  #hearing = false;
  readonly #onAligned = new Set<() => void>();
  /** It was aligned at least once: this node can take over. */
  proved = false;

  constructor(options: LogCandidateOptions) {
    this.#options = options;
    this.#opening = new LogOpening(options);
    this.#subscriber = createRedis(
      options.connections.settings,
      'yamabiko-log',
      options.connections.home ?? undefined,
    );
    [this.#ring, this.#writer, this.#markers] = this.#anew();
    this.#subscriber.on('ready', () => void this.#begin());
    this.#subscriber.on('close', () => void this.#lost());
    this.#subscriber.on('error', () => {
      // The bus's own connections tell it; one line is enough.
    });
    const hear = (name: Buffer, payload: Buffer) => this.#hear(name, payload);
    this.#subscriber.on('pmessageBuffer', (_pattern: string, name: Buffer, payload: Buffer) =>
      hear(name, payload),
    );
    this.#subscriber.on('messageBuffer', hear);
  }

  get aligned(): boolean {
    return this.#ring.epoch !== null;
  }

  /** Resolves when what is published now will be written, or after `limitMs`. */
  async whenAligned(limitMs: number): Promise<void> {
    if (this.aligned) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#onAligned.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  start(): void {
    this.#subscriber.connect().catch(() => {
      // It goes on trying, and the bus's own connections tell why.
    });
    this.#tickedAtMs = performance.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Writes what it has heard, so that whoever takes over has nothing to wait for. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.aligned) await this.#handOver(this.#writer);
    this.#writer.stop();
    this.#subscriber.disconnect();
  }

  /** Another Redis is the right one now. */
  connectAnew(): void {
    this.#listenAnew(null);
  }

  /** An entry of the log was read. */
  read({ at, name, payload }: LogEntry): void {
    if (name === this.#options.names.marker) {
      this.#opening.sawMarker(at, payload);
      this.#meet(payload, at);
    }
    this.#ring.prune(at);
  }

  /** The writer goes: whoever is aligned writes at once. */
  handedOver(): void {
    if (!this.#stopped) this.#writer.write();
  }

  #anew(): [Ring, LogWriter, OwnMarkers] {
    const { commands, reader, log, keepFrom } = this.#options;
    const ring = new Ring(this.#options.ringBounds);
    const onUnaligned = (why: string) => this.#unaligned(ring, why);
    return [
      ring,
      new LogWriter({ ring, commands, reader, log, keepFrom, onUnaligned }),
      new OwnMarkers(commands),
    ];
  }

  async #begin(): Promise<void> {
    const { names } = this.#options;
    try {
      if (names.customApart) await this.#subscriber.subscribe(names.custom);
      await this.#subscriber.psubscribe(names.pattern);
    } catch (err) {
      const reason = err instanceof Error ? err.message : String(err);
      if (reason !== this.#toldReason)
        this.#options.log.warn({ reason }, 'could not listen for the log, trying again');
      this.#toldReason = reason;
      setTimeout(() => this.#options.connections.reset(this.#subscriber), FROZEN_MS).unref();
      return;
    }
    // What came before the last confirmation is not all that there was.
    this.#startAnew();
    this.#hearing = true;
    this.#markers.publish();
  }

  #startAnew(): void {
    [this.#ring, this.#writer, this.#markers] = this.#anew();
    this.#takeoverMs = jittered(TAKEOVER_MS);
    this.#nobodyWritesMs = jittered(NOBODY_WRITES_MS);
  }

  /** The old ring still holds what nobody else may have heard. */
  async #lost(): Promise<void> {
    if (this.#stopped || !this.#hearing) return;
    this.#hearing = false;
    const [writer, ring] = [this.#writer, this.#ring];
    this.#startAnew();
    if (ring.epoch !== null) await this.#handOver(writer);
    writer.stop();
  }

  async #handOver(writer: LogWriter): Promise<void> {
    try {
      const wrote = writer.active;
      await writer.flush(FLUSH_MS);
      if (wrote || writer.active) await this.#options.commands.handOver();
    } catch (err) {
      const reason = err instanceof Error ? err.message : String(err);
      this.#options.log.warn({ reason }, 'could not hand the log over: the next writer finds out by himself');
    }
  }

  #hear(name: Buffer, payload: Buffer): void {
    const { names } = this.#options;
    const text = name.toString();
    if (!names.counts(text)) return;
    const isMarker = text === names.marker;
    this.#ring.hear(name, payload, isMarker);
    if (isMarker) {
      this.#markers.heard(payload);
      const at = this.#opening.placeOf(payload);
      if (at !== null) this.#meet(payload, at);
    }
    if (this.#writer.active) this.#writer.writeSoon();
    if (this.#ring.overflown) this.#listenAnew('more was published than could be written');
  }

  /** A marker that stands in the log at this place: was it heard too? */
  #meet(payload: Buffer, at: LogEntry['at']): void {
    const marker = this.#ring.marker(this.#opening.nonceOf(payload));
    if (marker === null) return;
    this.#markers.written(marker.nonce);
    if (!this.#ring.align(marker.count, at)) {
      this.#options.log.error({ position: at }, 'the log and what was heard disagree; listening anew');
      return this.#listenAnew(null);
    }
    this.#isAligned();
    this.#ring.prune(this.#options.reader.place);
  }

  #isAligned(): void {
    this.proved = true;
    for (const tell of this.#onAligned) tell();
    this.#onAligned.clear();
  }

  #listenAnew(reason: string | null): void {
    if (reason !== null) this.#options.log.warn({ reason }, 'listening anew for the log');
    this.#ring.unalign();
    this.#options.connections.reset(this.#subscriber);
  }

  /** Its place in the log is no longer known: another epoch, or the log went back. */
  #unaligned(ring: Ring, why: string): void {
    if (ring !== this.#ring || this.#stopped) return;
    if (why === 'foreign') this.#opening.sawForeign();
    this.#mayBeGone = why === 'other_epoch';
    ring.unalign();
    this.#markers.publish();
  }

  #tick(): void {
    const nowMs = performance.now();
    const wasFrozen = nowMs - this.#tickedAtMs > FROZEN_MS;
    this.#tickedAtMs = nowMs;
    if (wasFrozen) return this.#wasFrozen();
    if (!this.#hearing) return;
    if (this.#markers.unheardForMs(nowMs) > DEAF_MS || this.#isBehind(nowMs))
      return this.#listenAnew('what was published was not heard');
    if (this.aligned) this.#writeWhereNeeded(nowMs);
    else this.#openWhereNeeded(nowMs);
  }

  #wasFrozen(): void {
    this.#markers.forgive();
    this.#behindSinceMs = null;
  }

  #writeWhereNeeded(nowMs: number): void {
    if (this.#writer.active) {
      if (this.#markers.publishedForMs(nowMs) > MARKER_INTERVAL_MS) this.#markers.publish();
      this.#writer.writeSoon();
      return;
    }
    const oldestMs = this.#ring.oldestAfter(this.#options.reader.place);
    if (oldestMs !== null && nowMs - oldestMs > this.#takeoverMs) this.#writer.write();
  }

  /** The log holds what this node should have heard, for a while already. */
  #isBehind(nowMs: number): boolean {
    const { place } = this.#options.reader;
    const last = this.#ring.last;
    const behind = last !== null && last.epoch === place.epoch && last.index < place.index;
    this.#behindSinceMs = behind ? (this.#behindSinceMs ?? nowMs) : null;
    if (this.#behindSinceMs === null || nowMs - this.#behindSinceMs <= DEAF_MS) return false;
    this.#behindSinceMs = null;
    return true;
  }

  #openWhereNeeded(nowMs: number): void {
    const own = this.#markers.waiting;
    if (own === null) {
      if (this.#markers.publishedForMs(nowMs) > MARKER_INTERVAL_MS) this.#markers.publish();
      return;
    }
    const marker = this.#ring.marker(own.nonce);
    if (marker === null) return;
    const waitedMs = nowMs - own.heardAtMs;
    const isTime = waitedMs >= this.#nobodyWritesMs || this.#opening.nobodyCanBeAligned(marker);
    const [ring, writer, mayBeGone] = [this.#ring, this.#writer, this.#mayBeGone];
    this.#mayBeGone = false;
    const placed =
      isTime || mayBeGone ? this.#opening.open(marker, !isTime) : this.#opening.bridge(ring.markers);
    void placed.then((found) => {
      if (found === null || ring !== this.#ring || ring.epoch !== null) return;
      const { epoch, index } = found.at;
      ring.forgetBefore(found.marker.count);
      ring.align(found.marker.count, found.at);
      this.#isAligned();
      writer.continueAfter({ epoch, index: index - 1 });
    });
  }
}

function jittered({ least, spread }: { least: number; spread: number }): number {
  return least + Math.random() * spread;
}

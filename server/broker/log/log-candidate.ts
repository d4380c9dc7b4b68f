import { setTimeout as sleep } from 'node:timers/promises';
import type { Position } from '../../domain/position.ts';
import type { BrokerLog } from '../broker-log.ts';
import type { ReplicationPlace } from '../replication/backlog.ts';
import { Deafness } from './deafness.ts';
import { Listening } from './listening.ts';
import type { LogCommands, LogMessage } from './log-commands.ts';
import type { EarListener, LogEar } from './log-ear.ts';
import type { LogNames } from './log-names.ts';
import { LogOpening } from './log-opening.ts';
import type { LogEntry, LogReader } from './log-reader.ts';
import type { RingBounds } from './ring.ts';

export interface LogCandidateOptions {
  readonly makeEar: (listener: EarListener) => LogEar;
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
/** It takes some milliseconds. */
const HAND_OVER_MS = 1000;

/**
 * A node that hears what is published and can write it to the log. There is no leader: whoever is aligned may write,
 * and all would write the same. Usually one does, and the others see theirs written.
 */
export class LogCandidate {
  readonly #options: LogCandidateOptions;
  readonly #ear: LogEar;
  readonly #opening: LogOpening;
  readonly #deafness = new Deafness();
  readonly #onAligned = new Set<() => void>();
  /** How far the log was read when the last life of the ear ended: what the next one hears comes after it. */
  #lostAt: Position = { epoch: 0, index: 0 };
  #now: Listening;
  /** What it hears by lives. */
  #hearing = false;
  #timer: NodeJS.Timeout | null = null;
  #tickedAtMs = 0;
  #stopped = false;
  /** It was aligned at least once: this node can take over. */
  proved = false;

  constructor(options: LogCandidateOptions) {
    this.#options = options;
    this.#opening = new LogOpening(options);
    this.#now = this.#anew();
    this.#ear = options.makeEar({
      begun: (after) => this.#begun(after),
      heard: (name, payload, place) => this.#hear(name, payload, place),
      lost: () => void this.#lost(),
    });
  }

  /** Resolves when what is published now will be written, or after `limitMs`. */
  async whenAligned(limitMs: number): Promise<void> {
    if (this.#now.aligned) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#onAligned.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  start(): void {
    this.#ear.start();
    this.#tickedAtMs = performance.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Writes what it has heard, so that whoever takes over has nothing to wait for. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    // Redis may be gone or frozen: the end must not wait for it.
    if (this.#now.aligned) await Promise.race([this.#now.handOver(), sleep(HAND_OVER_MS)]);
    this.#now.writer.stop();
    this.#ear.stop();
  }

  /** Another Redis is the right one now. */
  connectAnew(): void {
    this.#ear.listenAnew('another Redis is the master');
  }

  /** An entry of the log was read. */
  read({ at, name, payload }: LogEntry): void {
    if (name === this.#options.names.marker) {
      this.#opening.sawMarker(at, payload);
      this.#meet(payload, at);
    }
    this.#now.ring.prune(at);
  }

  /** Whether it has heard what will stand in the log after this place. */
  heardBeyond(place: Position): boolean {
    const { last } = this.#now.ring;
    return last !== null && last.epoch === place.epoch && last.index > place.index;
  }

  /** What will stand in the log after this place, or should: no more than so many. */
  heardAfter(place: Position, count: number): readonly LogMessage[] {
    return this.#now.ring.after(place, count, Number.POSITIVE_INFINITY);
  }

  /** The writer goes: whoever is aligned writes at once. */
  handedOver(): void {
    if (!this.#stopped) this.#now.writer.write();
  }

  #anew(): Listening {
    return new Listening(this.#options, this.#lostAt, () => this.#opening.sawForeign());
  }

  #begun(after: Position | null): void {
    this.#now = this.#anew();
    this.#hearing = true;
    if (after !== null) {
      this.#now.ring.align(0, after);
      this.#isAligned();
    }
    this.#now.markers.publish();
  }

  /** What was heard is still held, and perhaps nobody else has heard it. */
  async #lost(): Promise<void> {
    if (this.#stopped || !this.#hearing) return;
    this.#hearing = false;
    this.#lostAt = this.#options.reader.place;
    const before = this.#now;
    this.#now = this.#anew();
    if (before.aligned) await before.handOver();
    before.writer.stop();
  }

  #hear(name: Buffer, payload: Buffer, place: ReplicationPlace | null): void {
    const { names } = this.#options;
    const text = name.toString();
    if (!names.counts(text)) return;
    const { ring, writer, markers } = this.#now;
    const isMarker = text === names.marker;
    ring.hear({ name, payload, place }, isMarker);
    if (isMarker) {
      markers.heard(payload);
      const at = this.#opening.placeOf(payload);
      if (at !== null) this.#meet(payload, at);
    }
    if (writer.active) writer.writeSoon();
    if (ring.overflown) this.#listenAnew('more was published than could be written');
  }

  /** A marker that stands in the log at this place: was it heard too? */
  #meet(payload: Buffer, at: Position): void {
    const { ring, markers } = this.#now;
    const marker = ring.marker(this.#opening.nonceOf(payload));
    if (marker === null) return;
    markers.written(marker.nonce);
    if (!ring.align(marker.count, at)) return this.#listenAnew('the log and what was heard disagree');
    this.#isAligned();
    ring.prune(this.#options.reader.place);
  }

  #isAligned(): void {
    this.proved = true;
    for (const tell of this.#onAligned) tell();
    this.#onAligned.clear();
  }

  #listenAnew(reason: string): void {
    this.#options.log.warn({ reason }, 'listening anew for the log');
    this.#now.ring.unalign();
    this.#ear.listenAnew(reason);
  }

  #tick(): void {
    const nowMs = performance.now();
    const wasFrozen = nowMs - this.#tickedAtMs > FROZEN_MS;
    this.#tickedAtMs = nowMs;
    const { ring, markers, aligned } = this.#now;
    if (wasFrozen) {
      markers.forgive();
      this.#deafness.forgive();
    } else if (this.#hearing) {
      if (this.#deafness.isProved(nowMs, markers, ring.last, this.#options.reader.place))
        this.#listenAnew('what was published was not heard');
      else if (aligned) this.#now.writeWhereNeeded(nowMs);
      else void this.#open(nowMs);
    }
  }

  async #open(nowMs: number): Promise<void> {
    const listening = this.#now;
    const at = await listening.openWhereNeeded(this.#opening, nowMs);
    if (at === null || listening !== this.#now) return;
    this.#isAligned();
    listening.writer.continueAfter({ epoch: at.epoch, index: at.index - 1 });
  }
}

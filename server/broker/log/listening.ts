import { comparePositions, type Position } from '../../domain/position.ts';
import type { LogCandidateOptions } from './log-candidate.ts';
import type { LogOpening } from './log-opening.ts';
import { LogWriter } from './log-writer.ts';
import { OwnMarkers } from './own-markers.ts';
import { Ring } from './ring.ts';

/** Pending for so long, somebody else should have written it: whoever is aligned does. */
const TAKEOVER_MS = { least: 250, spread: 100 };
/** An own marker that is in nobody's log for so long: nobody is aligned. */
const NOBODY_WRITES_MS = { least: 700, spread: 300 };
/** How often a writer publishes a marker, so that whoever comes is aligned, and every ring proved again. */
const MARKER_INTERVAL_MS = 500;
/** What a lost connection had heard is still written for so long. */
const FLUSH_MS = 2000;

/** One life of what a candidate hears by: what it heard, and what is done with that. The next life continues nothing. */
export class Listening {
  readonly ring: Ring;
  readonly writer: LogWriter;
  readonly markers: OwnMarkers;
  readonly #options: LogCandidateOptions;
  readonly #notBefore: Position;
  readonly #takeoverMs = jittered(TAKEOVER_MS);
  readonly #nobodyWritesMs = jittered(NOBODY_WRITES_MS);
  /** The log was not there any more, or is another one. */
  #mayBeGone = false;

  /**
   * @param notBefore a place of the log that nothing of what it hears can stand before
   * @param onForeign the log's stream was written to by a stranger
   */
  constructor(options: LogCandidateOptions, notBefore: Position, onForeign: () => void) {
    const { commands, reader, log, keepFrom, ringBounds } = options;
    this.#options = options;
    this.#notBefore = notBefore;
    this.ring = new Ring(ringBounds);
    this.markers = new OwnMarkers(commands);
    this.writer = new LogWriter({
      ring: this.ring,
      commands,
      reader,
      log,
      keepFrom,
      // Another epoch, or the log went back: its place in the log is no longer known.
      onUnaligned: (why) => {
        if (why === 'foreign') onForeign();
        this.#mayBeGone = why === 'other_epoch';
        this.ring.unalign();
        this.markers.publish();
      },
    });
  }

  get aligned(): boolean {
    return this.ring.epoch !== null;
  }

  /** Whether nothing of what was heard is in the log, and all of it is held still. */
  get #holdsAllSinceTheLog(): boolean {
    return this.ring.whole && comparePositions(this.#options.reader.place, this.#notBefore) === 0;
  }

  writeWhereNeeded(nowMs: number): void {
    if (this.writer.active) {
      if (this.markers.publishedForMs(nowMs) > MARKER_INTERVAL_MS) this.markers.publish();
      return this.writer.writeSoon();
    }
    const oldestMs = this.ring.oldestAfter(this.#options.reader.place);
    if (oldestMs !== null && nowMs - oldestMs > this.#takeoverMs) this.writer.write();
  }

  /** Finds its place in the log where nobody else writes. @returns of the first to write; null where there is none yet */
  async openWhereNeeded(opening: LogOpening, nowMs: number): Promise<Position | null> {
    const own = this.markers.waiting;
    const marker = own && this.ring.marker(own.nonce);
    if (own === null || marker === null) {
      if (own === null && this.markers.publishedForMs(nowMs) > MARKER_INTERVAL_MS) this.markers.publish();
      return null;
    }
    const isTime = nowMs - own.heardAtMs >= this.#nobodyWritesMs || opening.nobodyCanBeAligned(marker);
    const mayBeGone = this.#mayBeGone;
    this.#mayBeGone = false;
    const found =
      isTime || mayBeGone
        ? await opening.open(marker, !isTime)
        : await opening.bridge(this.ring.markers, this.#holdsAllSinceTheLog);
    if (found === null || this.aligned) return null;
    const { marker: known, at, before } = found;
    this.ring.forgetBefore(known.count - before);
    this.ring.align(known.count, at);
    return { ...at, index: at.index - before };
  }

  /** Writes what it still holds, and lets others write at once. */
  async handOver(): Promise<void> {
    const { commands, log } = this.#options;
    try {
      const wrote = this.writer.active;
      await this.writer.flush(FLUSH_MS);
      if (wrote || this.writer.active) await commands.handOver();
    } catch (err) {
      const reason = err instanceof Error ? err.message : String(err);
      log.warn({ reason }, 'could not hand the log over: the next writer finds out by himself');
    }
  }
}

function jittered({ least, spread }: { least: number; spread: number }): number {
  return least + Math.random() * spread;
}

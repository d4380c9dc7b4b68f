import { comparePositions, formatPosition, type Position } from '../../domain/position.ts';
import type { BrokerLog } from '../broker-log.ts';
import type { LogCommands } from './log-commands.ts';
import { EPOCH_NAME, type LogReader } from './log-reader.ts';
import { decodeMarker, type Marker } from './marker.ts';
import type { HeardMarker } from './ring.ts';

export interface LogOpeningOptions {
  readonly commands: LogCommands;
  readonly reader: LogReader;
  readonly log: BrokerLog;
}

/** A marker that was heard, and its place in the log. */
export interface Placed {
  readonly marker: HeardMarker;
  readonly at: Position;
  /** How many of the messages heard before it are to be written too. */
  readonly before: number;
}

type PlacedMarker = Marker & { readonly at: Position };

/** Markers in the log that this node may still have to hear. */
const MAX_PLACES = 200;

/** What happens when nobody knows where the log goes on: every subscriber was lost at once, or this is the first node. */
export class LogOpening {
  readonly #options: LogOpeningOptions;
  readonly #places = new Map<string, Position>();
  #last: PlacedMarker | null = null;
  #busy = false;
  #foreign = false;
  #toldReason: string | null = null;

  constructor(options: LogOpeningOptions) {
    this.#options = options;
  }

  sawMarker(at: Position, payload: Buffer): void {
    const marker = decodeMarker(payload);
    if (marker === null) return;
    this.#last = { ...marker, at };
    this.#places.set(marker.nonce, at);
    if (this.#places.size > MAX_PLACES) this.#places.delete(this.#places.keys().next().value ?? '');
  }

  nonceOf(payload: Buffer): string {
    return decodeMarker(payload)?.nonce ?? '';
  }

  /** Where a marker stands in the log; null where it was not read there. */
  placeOf(payload: Buffer): Position | null {
    return this.#places.get(this.nonceOf(payload)) ?? null;
  }

  /** Another process of Redis, or no log: every subscriber is new, so there is nobody to wait for. */
  nobodyCanBeAligned(own: Marker): boolean {
    const { epoch } = this.#options.reader.place;
    if (epoch === 0) return true;
    // In an epoch without a marker somebody has just begun, and is about to write his.
    if (this.#last === null || this.#last.at.epoch !== epoch) return false;
    return own.runId !== null && this.#last.runId !== null && own.runId !== this.#last.runId;
  }

  /** The stream's ids are beyond its head: only a new epoch comes after them. */
  sawForeign(): void {
    this.#foreign = true;
  }

  /**
   * The log goes on where Redis's own count proves that nothing was published while nobody listened.
   * @param heard markers that this node heard
   * @param unwritten whether nothing of what it heard is in the log, and it holds all of it
   * @returns one of them with its place in the log; null where nothing is proved
   */
  bridge(heard: readonly HeardMarker[], unwritten: boolean): Promise<Placed | null> {
    return this.#once(async () => {
      const head = await this.#options.commands.head();
      const proved = heard.flatMap((marker) => {
        const before = this.#notInLog(marker, head);
        // Whatever else was heard before it is in the log then, or else is all that the log lacks.
        return before === 0 || (unwritten && before === marker.count - 1) ? [{ marker, before }] : [];
      })[0];
      if (proved === undefined || head === null) return null;
      this.#options.log.info(
        { position: head },
        'nobody listened for a moment, in which nothing was published',
      );
      return { ...proved, at: { epoch: head.epoch, index: head.index + 1 + proved.before } };
    });
  }

  /**
   * The log begins anew with a marker that nobody has written. Nothing after it can be in the log, so nothing is doubled.
   * @param onlyIfGone does nothing as long as there is a log: somebody may be about to write
   */
  open(own: HeardMarker, onlyIfGone: boolean): Promise<Placed | null> {
    return this.#once(async () => {
      const { commands, reader, log } = this.#options;
      const head = await commands.head();
      if (onlyIfGone && head !== null) return null;
      // What this node has not read yet may hold its marker: somebody else has just opened the log, or goes on with it.
      if (head !== null && comparePositions(head, reader.place) > 0) return null;
      const from = head ?? reader.place;
      const payload = JSON.stringify({ from: formatPosition(from) });
      const epoch = await commands.open(head, reader.place.epoch + 1, EPOCH_NAME, payload);
      if (epoch === null) return null;
      this.#foreign = false;
      if (from.epoch > 0)
        log.warn({ from, epoch }, 'nobody listened for a while: the log begins anew, with a gap');
      return { marker: own, at: { epoch, index: 2 }, before: 0 };
    });
  }

  /** Somebody may be faster, and Redis away: then it is tried again. */
  async #once(step: () => Promise<Placed | null>): Promise<Placed | null> {
    if (this.#busy) return null;
    this.#busy = true;
    try {
      return await step();
    } catch (err) {
      const reason = err instanceof Error ? err.message : String(err);
      if (reason !== this.#toldReason)
        this.#options.log.warn({ reason }, 'could not open the log, trying again');
      this.#toldReason = reason;
      return null;
    } finally {
      this.#busy = false;
    }
  }

  /**
   * How many more PUBLISH calls Redis has counted between the log's last marker and this one than the log has entries
   * there: those that nobody heard, others' calls, and what was heard but not written. @returns null where unknown
   */
  #notInLog(own: Marker, head: Position | null): number | null {
    const { place } = this.#options.reader;
    const last = this.#last;
    if (this.#foreign || head === null || head.epoch !== place.epoch || head.index !== place.index)
      return null;
    if (last === null || last.at.epoch !== place.epoch || last.calls === null || own.calls === null)
      return null;
    if (own.runId === null || own.runId !== last.runId) return null;
    return own.calls - last.calls - 1 - (place.index - last.at.index);
  }
}

import { formatPosition, type Position } from '../../domain/position.ts';
import type { BrokerLog } from '../broker-log.ts';
import type { LogCommands } from './log-commands.ts';
import { EPOCH_NAME, type LogReader } from './log-reader.ts';
import { decodeMarker, type Marker } from './marker.ts';

export interface LogOpeningOptions {
  readonly commands: LogCommands;
  readonly reader: LogReader;
  readonly log: BrokerLog;
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
    if (this.#options.reader.place.epoch === 0) return true;
    return (
      own.runId !== null && this.#last !== null && this.#last.runId !== null && own.runId !== this.#last.runId
    );
  }

  /** The stream's ids are beyond its head: only a new epoch comes after them. */
  sawForeign(): void {
    this.#foreign = true;
  }

  /**
   * @param own a marker of this node that was heard, and that nobody has written
   * @param onlyIfGone does nothing as long as there is a log: somebody may be about to write
   * @returns its place in the log that goes on or begins with it; null where somebody was faster, or Redis is away
   */
  async open(own: Marker, onlyIfGone: boolean): Promise<Position | null> {
    if (this.#busy) return null;
    this.#busy = true;
    try {
      return await this.#open(own, onlyIfGone);
    } catch (err) {
      const reason = err instanceof Error ? err.message : String(err);
      this.#options.log.warn({ reason }, 'could not open the log, trying again');
      return null;
    } finally {
      this.#busy = false;
    }
  }

  async #open(own: Marker, onlyIfGone: boolean): Promise<Position | null> {
    const { commands, reader, log } = this.#options;
    const head = await commands.head();
    if (onlyIfGone && head !== null) return null;
    if (this.#provesNothingLost(own, head)) {
      log.info(
        { position: head },
        'nobody listened for a moment, and nothing was published in it: the log goes on',
      );
      return { epoch: reader.place.epoch, index: reader.place.index + 1 };
    }
    const from = head === null ? reader.place : head;
    const payload = JSON.stringify({ from: formatPosition(from) });
    const epoch = await commands.open(head, reader.place.epoch + 1, EPOCH_NAME, payload);
    if (epoch === null) return null;
    this.#foreign = false;
    if (from.epoch > 0)
      log.warn({ from, epoch }, 'nobody listened for a while: the log begins anew, with a gap');
    return { epoch, index: 2 };
  }

  /**
   * Redis has counted exactly as many PUBLISH calls between the log's last marker and this one as the log has entries
   * there. Others' calls only make the proof fail.
   */
  #provesNothingLost(own: Marker, head: Position | null): boolean {
    const { place } = this.#options.reader;
    const last = this.#last;
    if (this.#foreign || head === null || head.epoch !== place.epoch || head.index !== place.index)
      return false;
    if (last === null || last.at.epoch !== place.epoch || last.calls === null || own.calls === null)
      return false;
    if (own.runId === null || own.runId !== last.runId) return false;
    return own.calls - last.calls - 1 === place.index - last.at.index;
  }
}

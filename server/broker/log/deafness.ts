import type { Position } from '../../domain/position.ts';
import type { OwnMarkers } from './own-markers.ts';

/** Published and not heard for so long: what is listened by is half-dead. */
const DEAF_MS = 1500;

/** Whether a candidate hears what it should: an open connection proves nothing. */
export class Deafness {
  #behindSinceMs: number | null = null;

  /**
   * @param markers of this node. @param heard place of what was heard last; null where not aligned
   * @param written the log's last place
   */
  isProved(nowMs: number, markers: OwnMarkers, heard: Position | null, written: Position): boolean {
    return markers.unheardForMs(nowMs) > DEAF_MS || this.#isBehind(nowMs, heard, written);
  }

  /** This process stood still: what it has not heard may wait in its socket. */
  forgive(): void {
    this.#behindSinceMs = null;
  }

  /** The log holds what this node should have heard, for a while already. */
  #isBehind(nowMs: number, heard: Position | null, written: Position): boolean {
    const behind = heard !== null && heard.epoch === written.epoch && heard.index < written.index;
    this.#behindSinceMs = behind ? (this.#behindSinceMs ?? nowMs) : null;
    if (this.#behindSinceMs === null || nowMs - this.#behindSinceMs <= DEAF_MS) return false;
    this.#behindSinceMs = null;
    return true;
  }
}

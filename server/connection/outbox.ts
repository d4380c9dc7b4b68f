import type { Frame } from '../domain/frame.ts';
import type { Transport } from './transport.ts';

/** How often a reader who is behind is looked at, in milliseconds. */
const LOOK_MS = 5;
/** A reader of whose outbox nothing has gone in so long does not read, in milliseconds. */
const STALLED_MS = 30_000;
/** Parts of the bound: a replay waits above the first until it is below the second. */
const WAIT_ABOVE = 0.5;
const GO_ON_BELOW = 0.25;

/**
 * What waits for one client. Live frames are bounded by bytes: who does not keep up is ended. A replay is paced by the
 * reader instead, as it is the server that decides how fast the past is sent.
 */
export class Outbox {
  readonly #transport: Transport;
  readonly #maxBytes: number;
  /** What a replay's last piece has put here at once, and has not gone yet: it does not count against the reader. */
  #replayedBytes = 0;

  /** @param maxBytes that may wait, beside what a replay put here */
  constructor(transport: Transport, maxBytes: number) {
    this.#transport = transport;
    this.#maxBytes = maxBytes;
  }

  /** Asked before a frame, not after: one frame larger than the outbox is no proof that its reader is slow. */
  keepsUp(): boolean {
    if (this.#hasRoom()) return true;
    // A burst of one turn has had no chance to go out: nobody can have read it.
    this.#transport.flush();
    return this.#hasRoom();
  }

  #hasRoom(): boolean {
    const bytes = this.#transport.bufferedBytes();
    if (bytes < this.#replayedBytes) this.#replayedBytes = bytes;
    return bytes <= this.#maxBytes + this.#replayedBytes;
  }

  write(frame: Frame): void {
    this.#transport.write(frame);
  }

  replay(frame: Frame): void {
    this.#transport.write(frame);
    this.#replayedBytes = this.#transport.bufferedBytes();
  }

  /** Whether a replay should wait before the next frame. */
  isFilling(): boolean {
    return this.#transport.bufferedBytes() > this.#maxBytes * WAIT_ABOVE;
  }

  /**
   * Resolves when there is room for more.
   * @returns false where nothing was read for too long
   * @throws the signal's reason where it ends first
   */
  async drained(signal: AbortSignal): Promise<boolean> {
    let bytes = this.#transport.bufferedBytes();
    let readAtMs = Date.now();
    while (bytes > this.#maxBytes * GO_ON_BELOW) {
      await pause(LOOK_MS, signal);
      const now = this.#transport.bufferedBytes();
      if (now < bytes) readAtMs = Date.now();
      else if (Date.now() - readAtMs > STALLED_MS) return false;
      bytes = now;
    }
    return true;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const end = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', end);
      resolve();
    }, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}

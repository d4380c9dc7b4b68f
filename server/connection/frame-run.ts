/**
 * What one socket is sent in a turn, as the last step of a path. Sockets that are sent the same go the same steps, so
 * that what a thousand of them get is joined once, whichever channels it came by and whoever was left out.
 */
export class FrameRun {
  /** Of all its frames. */
  readonly bytes: number;
  readonly #before: FrameRun | null;
  readonly #frame: Buffer;
  #next: FrameRun | null = null;
  #joined: Buffer | null = null;

  constructor(frame: Buffer, before: FrameRun | null) {
    this.#frame = frame;
    this.#before = before;
    this.bytes = before === null ? frame.length : before.bytes + frame.length;
  }

  /** Whether it is this one frame alone. */
  is(frame: Buffer): boolean {
    return this.#before === null && this.#frame === frame;
  }

  /** The step of all who are here and get the same frame next. Only the last is kept: a broadcast reaches them in a row. */
  followedBy(frame: Buffer): FrameRun {
    const next = this.#next;
    if (next !== null && next.#frame === frame) return next;
    this.#next = new FrameRun(frame, this);
    return this.#next;
  }

  joined(): Buffer {
    if (this.#before === null) return this.#frame;
    this.#joined ??= this.#join();
    return this.#joined;
  }

  #join(): Buffer {
    const frames: Buffer[] = [];
    for (let run: FrameRun | null = this; run !== null; run = run.#before) frames.push(run.#frame);
    return Buffer.concat(frames.reverse(), this.bytes);
  }
}

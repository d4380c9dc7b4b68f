import { ReplicationProtocolError } from './command-stream.ts';

const LF = 0x0a;
const MARK_BYTES = 40;
const EOF_PREFIX = '$EOF:';
const MAX_HEADER_BYTES = EOF_PREFIX.length + MARK_BYTES + 2;

/**
 * Lets the data set pass by that a full synchronisation begins with, and holds nothing of it: `$<length>` and so many
 * bytes, or `$EOF:<mark>` and bytes up to the mark. Before it, a waiting master sends empty lines.
 */
export class Snapshot {
  #header: Buffer = Buffer.alloc(0);
  #bytesLeft: number | null = null;
  #mark: Buffer | null = null;
  /** The end of what was read, which may hold the beginning of the mark. */
  #tail: Buffer = Buffer.alloc(0);

  /**
   * @returns what follows it in this chunk, or null while it goes on
   * @throws ReplicationProtocolError
   */
  read(chunk: Buffer): Buffer | null {
    if (this.#mark === null && this.#bytesLeft === null) return this.#readHeader(chunk);
    return this.#mark === null ? this.#readCounted(chunk) : this.#readToMark(chunk, this.#mark);
  }

  #readHeader(chunk: Buffer): Buffer | null {
    const bytes = Buffer.concat([this.#header, chunk]);
    let start = 0;
    while (bytes[start] === LF) start++;
    const end = bytes.indexOf(LF, start);
    if (end < 0) {
      this.#header = bytes.subarray(start);
      if (this.#header.length > MAX_HEADER_BYTES) throw garbage();
      return null;
    }
    const line = bytes.toString('latin1', start, end).trimEnd();
    if (/^\$\d{1,15}$/.test(line)) this.#bytesLeft = Number(line.slice(1));
    else if (line.startsWith(EOF_PREFIX) && line.length === EOF_PREFIX.length + MARK_BYTES)
      this.#mark = Buffer.from(line.slice(EOF_PREFIX.length), 'latin1');
    else throw garbage();
    return this.read(bytes.subarray(end + 1));
  }

  #readCounted(chunk: Buffer): Buffer | null {
    const taken = Math.min(this.#bytesLeft ?? 0, chunk.length);
    this.#bytesLeft = (this.#bytesLeft ?? 0) - taken;
    return this.#bytesLeft > 0 ? null : chunk.subarray(taken);
  }

  #readToMark(chunk: Buffer, mark: Buffer): Buffer | null {
    const bytes = Buffer.concat([this.#tail, chunk]);
    const at = bytes.indexOf(mark);
    if (at >= 0) return bytes.subarray(at + MARK_BYTES);
    this.#tail = bytes.subarray(Math.max(0, bytes.length - (MARK_BYTES - 1)));
    return null;
  }
}

function garbage(): ReplicationProtocolError {
  return new ReplicationProtocolError('what should be the data set of a full synchronisation is none');
}

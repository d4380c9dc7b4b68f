/** What came over the socket is not what a master sends. */
export class ReplicationProtocolError extends Error {
  override readonly name = 'ReplicationProtocolError';
}

/** One argument of a command, announced before its bytes. */
export interface Argument {
  /** 0 is the command's name. */
  readonly index: number;
  /** How many the command has. */
  readonly count: number;
  readonly byteLength: number;
}

export interface CommandStreamOptions {
  /** Of the last byte before the stream, as the master counts. */
  readonly offset: number;
  /**
   * Whether to keep the bytes of this argument. What is not kept passes by without being held in memory, whatever its size.
   * @param kept the ones of this command that were kept before
   */
  readonly keeps: (argument: Argument, kept: readonly Buffer[]) => boolean;
  /** Each command once, in order, with its kept arguments only, when `offset` stands behind its last byte. */
  readonly onCommand: (kept: readonly Buffer[]) => void;
}

const ASTERISK = 0x2a;
const DOLLAR = 0x24;
const CR = 0x0d;
const LF = 0x0a;
const ZERO = 0x30;
const NINE = 0x39;
/** A command's arguments, and the bytes of one: more than Redis takes, and far below where numbers lose digits. */
const MAX_NUMBER = 2 ** 40;

type Expects = 'marker' | 'number' | 'lf-of-number' | 'bytes' | 'cr-of-bytes' | 'lf-of-bytes';

/**
 * Reads what a master sends to its replicas: commands as arrays of bulk strings, cut anywhere. The offset is right to
 * the byte, because it is the place from which the master is asked to go on.
 */
export class CommandStream {
  /** Behind the last whole command: all before it has been told. */
  offset: number;
  readonly #options: CommandStreamOptions;
  #expects: Expects = 'marker';
  /** Behind the last byte read. */
  #read: number;
  #number = 0;
  #digits = 0;
  /** Of the command being read; 0 between two. */
  #count = 0;
  #index = 0;
  #bytesLeft = 0;
  #keeping = false;
  #pieces: Buffer[] = [];
  #kept: Buffer[] = [];
  #closed = false;

  constructor(options: CommandStreamOptions) {
    this.#options = options;
    this.offset = options.offset;
    this.#read = options.offset;
  }

  /** Nothing is told any more, not even the rest of the chunk that is being read. */
  close(): void {
    this.#closed = true;
  }

  /** @throws ReplicationProtocolError */
  read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length && !this.#closed; ) {
      const taken = this.#expects === 'bytes' ? this.#takeBytes(chunk, at) : this.#takeByte(chunk[at] ?? 0);
      at += taken;
      this.#read += taken;
      if (this.#count > 0 && this.#index === this.#count) this.#tell();
    }
  }

  #takeByte(byte: number): 1 {
    if (this.#expects === 'number' && byte >= ZERO && byte <= NINE) this.#takeDigit(byte - ZERO);
    else if (this.#expects === 'number' && byte === CR && this.#digits > 0) this.#expects = 'lf-of-number';
    else if (this.#expects === 'marker' && byte === (this.#count === 0 ? ASTERISK : DOLLAR))
      this.#beginNumber();
    else if (this.#expects === 'lf-of-number' && byte === LF) this.#endNumber();
    else if (this.#expects === 'cr-of-bytes' && byte === CR) this.#expects = 'lf-of-bytes';
    else if (this.#expects === 'lf-of-bytes' && byte === LF) this.#endArgument();
    else throw this.#garbage(`a byte ${byte} where a ${this.#expects} had to come`);
    return 1;
  }

  #takeBytes(chunk: Buffer, at: number): number {
    const taken = Math.min(this.#bytesLeft, chunk.length - at);
    // Copied: a slice would keep the whole chunk for as long as somebody keeps the message.
    if (this.#keeping) this.#pieces.push(Buffer.from(chunk.subarray(at, at + taken)));
    this.#bytesLeft -= taken;
    if (this.#bytesLeft === 0) this.#expects = 'cr-of-bytes';
    return taken;
  }

  #beginNumber(): void {
    this.#number = 0;
    this.#digits = 0;
    this.#expects = 'number';
  }

  #takeDigit(digit: number): void {
    this.#number = this.#number * 10 + digit;
    this.#digits++;
    if (this.#number > MAX_NUMBER) throw this.#garbage('a number beyond all that Redis sends');
  }

  #endNumber(): void {
    if (this.#count === 0) {
      if (this.#number === 0) throw this.#garbage('a command without a name');
      this.#count = this.#number;
      this.#expects = 'marker';
      return;
    }
    const argument = { index: this.#index, count: this.#count, byteLength: this.#number };
    this.#keeping = this.#options.keeps(argument, this.#kept);
    this.#bytesLeft = this.#number;
    this.#expects = this.#number === 0 ? 'cr-of-bytes' : 'bytes';
  }

  #endArgument(): void {
    const [first] = this.#pieces;
    if (this.#keeping)
      this.#kept.push(first !== undefined && this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces));
    this.#pieces = [];
    this.#keeping = false;
    this.#index++;
    this.#expects = 'marker';
  }

  #tell(): void {
    const kept = this.#kept;
    this.#kept = [];
    this.#count = 0;
    this.#index = 0;
    this.offset = this.#read;
    this.#options.onCommand(kept);
  }

  /** Shows no bytes of what was sent: they are other people's data. */
  #garbage(what: string): ReplicationProtocolError {
    return new ReplicationProtocolError(`the replication stream holds ${what}, at offset ${this.#read}`);
  }
}

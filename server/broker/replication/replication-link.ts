import { createConnection, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { parseRedisUrl, type RedisAddress } from '../../domain/redis-url.ts';
import { tlsOptions } from '../redis/redis-clients.ts';
import type { RedisSettings } from '../redis/redis-connections.ts';
import { firstReached, type ReplicationPlace } from './backlog.ts';
import { CommandStream, ReplicationProtocolError } from './command-stream.ts';
import { introduce } from './handshake.ts';
import { asksForAck, keepPublished, type Published, publishedIn } from './published.ts';
import { decodeReply, encodeCommand, type Reply, ReplyError } from './reply.ts';
import { Snapshot } from './snapshot.ts';

export interface Synced extends ReplicationPlace {
  /** It goes on exactly where it was asked to: nothing is missing. Else what was published before `offset` is not told. */
  readonly continued: boolean;
}

export interface LinkOptions {
  readonly settings: RedisSettings;
  readonly address: RedisAddress;
  /** Where it may go on, the best first; none: from now on. */
  readonly from: readonly ReplicationPlace[];
  readonly silenceMs: number;
  readonly wants: (name: Buffer) => boolean;
  readonly onSynced: (synced: Synced) => void;
  readonly onPublish: (published: Published) => void;
}

const TICK_MS = 250;
/** A replica that says nothing for `repl-timeout` is cut; this often is what replicas do. */
const TICKS_PER_ACK = 4;
/**
 * Always the same, though we read on: a higher one would let WAIT, which asks how many have the data, count somebody
 * who keeps none, and make us a candidate for FAILOVER.
 */
const ACK = encodeCommand(['REPLCONF', 'ACK', '0']);
/** No reply of the beginning is longer. */
const MAX_REPLY_BYTES = 64 * 1024;

/** One connection to a master, from its beginning to its end. */
export class ReplicationLink {
  /** Resolves with the reason when it has ended, and nothing is told after that. */
  readonly ended: Promise<Error>;
  readonly #options: LinkOptions;
  readonly #socket: Socket;
  #end: (reason: Error) => void = () => {};
  #over = false;
  #read: (chunk: Buffer) => void = (chunk) => this.#readReply(chunk);
  #bytes: Buffer = Buffer.alloc(0);
  #asked: { command: string; resolve: (reply: Reply) => void; reject: (error: Error) => void } | null = null;
  #replid = '';
  #stream: CommandStream | null = null;
  #acking = false;
  #ticks = 0;
  #silentTicks = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#socket = this.#connect();
    // Counted in ticks and not by a clock: if this process stood still, the master was not silent.
    const ticking = setInterval(() => this.#tick(), TICK_MS);
    void this.ended.then(() => clearInterval(ticking));
    this.#begin().catch((error: Error) => this.close(error));
  }

  /** Everything up to here was told; null before it is synced. */
  get place(): ReplicationPlace | null {
    return this.#stream === null ? null : { replid: this.#replid, offset: this.#stream.offset };
  }

  close(reason: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#stream?.close();
    this.#socket.destroy();
    this.#asked?.reject(reason);
    this.#end(reason);
  }

  #connect(): Socket {
    const { settings, address } = this.#options;
    const socket = parseRedisUrl(settings.url).tls
      ? connectTls({ ...address, ...tlsOptions(settings) })
      : createConnection({ ...address });
    return socket
      .setNoDelay(true)
      .on('error', (error) => this.close(error))
      .on('close', () => this.close(new Error('the connection was closed')))
      .on('data', (chunk: Buffer) => this.#take(chunk));
  }

  #take(chunk: Buffer): void {
    if (this.#over) return;
    this.#silentTicks = 0;
    try {
      this.#read(chunk);
    } catch (error) {
      // What our own listeners throw is a fault of ours, which nobody may swallow.
      if (!(error instanceof ReplicationProtocolError || error instanceof ReplyError)) throw error;
      this.close(error);
    }
  }

  async #begin(): Promise<void> {
    const { settings, from } = this.#options;
    const backlog = await introduce((...parts) => this.#ask(parts), parseRedisUrl(settings.url));
    const reached = firstReached(backlog, from);
    // Where it cannot go on, it begins with what the master has in hand, which costs no full synchronisation.
    const start = reached ?? (backlog.kept ? backlog.now : null);
    this.#read = (chunk) => this.#readSyncReply(chunk, start, reached !== null);
    this.#write(
      start === null
        ? encodeCommand(['PSYNC', '?', '-1'])
        : encodeCommand(['PSYNC', start.replid, String(start.offset + 1)]),
    );
  }

  #ask(parts: readonly string[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#asked = { command: parts[0] ?? '', resolve, reject };
      this.#write(encodeCommand(parts));
    });
  }

  #readReply(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const decoded = decodeReply(this.#bytes);
    if (this.#bytes.length > MAX_REPLY_BYTES) throw new ReplicationProtocolError('an answer has no end');
    if (decoded === null) return;
    this.#bytes = this.#bytes.subarray(decoded.end);
    const asked = this.#asked;
    this.#asked = null;
    const { reply } = decoded;
    if (asked === null) throw new ReplicationProtocolError('an answer came that nobody asked for');
    if (typeof reply === 'string' && reply.startsWith('-'))
      asked.reject(new ReplyError(reply.slice(1), asked.command));
    else asked.resolve(reply);
  }

  #readSyncReply(chunk: Buffer, start: ReplicationPlace | null, reached: boolean): void {
    const bytes = Buffer.concat([this.#bytes, chunk]);
    // A master that has to wait for another child process of its own sends empty lines meanwhile.
    const from = bytes.findIndex((byte) => byte !== 0x0a);
    this.#bytes = from < 0 ? Buffer.alloc(0) : bytes.subarray(from);
    const end = this.#bytes.indexOf('\n');
    if (this.#bytes.length > MAX_REPLY_BYTES) throw new ReplicationProtocolError('an answer has no end');
    if (end < 0) return;
    const [word, replid = start?.replid, offset = ''] = this.#bytes
      .toString('utf8', 0, end)
      .trimEnd()
      .split(' ');
    const rest = this.#bytes.subarray(end + 1);
    this.#bytes = Buffer.alloc(0);
    if (word === '+CONTINUE' && start !== null && replid !== undefined)
      this.#follow({ replid, offset: start.offset, continued: reached }, rest);
    else if (word === '+FULLRESYNC' && replid !== undefined && /^\d{1,16}$/.test(offset))
      this.#letSnapshotPass({ replid, offset: Number(offset), continued: false }, rest);
    else throw new ReplyError(bytes.toString('utf8', from + 1, from + end).trimEnd(), 'PSYNC');
  }

  #letSnapshotPass(synced: Synced, rest: Buffer): void {
    const snapshot = new Snapshot();
    this.#acking = true;
    this.#read = (chunk) => {
      const after = snapshot.read(chunk);
      if (after !== null) this.#follow(synced, after);
    };
    if (rest.length > 0) this.#read(rest);
  }

  #follow(synced: Synced, rest: Buffer): void {
    const { wants, onSynced, onPublish } = this.#options;
    const replid = synced.replid;
    const stream = new CommandStream({
      offset: synced.offset,
      keeps: keepPublished(wants),
      onCommand: (kept) => {
        const published = publishedIn(kept);
        if (published !== null) onPublish({ ...published, offset: stream.offset, replid });
        else if (asksForAck(kept)) this.#write(ACK);
      },
    });
    this.#replid = replid;
    this.#stream = stream;
    this.#acking = true;
    this.#read = (chunk) => stream.read(chunk);
    // The stream after a full synchronisation waits for it.
    this.#write(ACK);
    onSynced(synced);
    stream.read(rest);
  }

  #tick(): void {
    this.#silentTicks++;
    this.#ticks++;
    const { silenceMs, settings } = this.#options;
    const limitMs = this.#asked === null ? silenceMs : settings.commandTimeoutMs;
    if (this.#silentTicks * TICK_MS > limitMs)
      this.close(new Error(`Redis said nothing for ${this.#silentTicks * TICK_MS} ms`));
    else if (this.#acking && this.#ticks % TICKS_PER_ACK === 0) this.#write(ACK);
  }

  #write(text: string): void {
    if (!this.#over) this.#socket.write(text);
  }
}

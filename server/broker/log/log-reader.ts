import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { formatPosition, type Position, parsePosition } from '../../domain/position.ts';
import type { BrokerLog } from '../broker-log.ts';
import type { RedisConnections } from '../redis/redis-connections.ts';
import type { LogMessage } from './log-commands.ts';
import type { LogNames } from './log-names.ts';

/** The name of an epoch's first entry; no channel begins with it. */
export const EPOCH_NAME = '!epoch';

export interface LogEntry {
  readonly at: Position;
  readonly name: string;
  readonly payload: Buffer;
}

export interface LogReaderOptions {
  readonly connections: RedisConnections;
  readonly names: LogNames;
  readonly log: BrokerLog;
  /** The log is about to be read from here, at the start: what is older is not there any more. */
  readonly onStart: (place: Position) => void;
  /** Each entry once, in order. `old`: it was there before this node. */
  readonly onEntry: (entry: LogEntry, old: boolean) => void;
  /** Before the entry at this place, something is missing. */
  readonly onHole: (at: Position, reason: 'log_restarted' | 'log_hole') => void;
  readonly onHandover: () => void;
  /** Whether this node has heard what comes after this place in the log. */
  readonly heardBeyond: (place: Position) => boolean;
  /** What comes after a place, as far as this node has heard it and may still need it. */
  readonly heardAfter: (place: Position, count: number) => readonly LogMessage[];
  /** An entry that no node of ours wrote. */
  readonly onForeign: () => void;
}

/** Entries of one reply. They are worked off in one turn, so the number bounds how long the loop is held up. */
const PAGE_ENTRIES = 500;
const FOREIGN_PAUSE_MS = 50;
/** A turn of deliveries that takes longer is worth being joined with the next one. */
const DEAR_TURN_MS = 1.5;
/** How long it then waits for what was heard and is just being appended, in milliseconds. */
const GATHER_MS = 2;
const NOWHERE: Position = { epoch: 0, index: 0 };

type Entries = readonly (readonly [id: Buffer, fields: readonly Buffer[] | null])[];
type Reply = readonly (readonly [key: Buffer, entries: Entries])[] | null;

/**
 * Reads the log, which alone says what is delivered and in which order. It knows by the ids whether anything is
 * missing, whatever the cause, so no broadcast is skipped without being told.
 */
export class LogReader {
  readonly #options: LogReaderOptions;
  /** Of what was read last. */
  place: Position = NOWHERE;
  #cursor = '0';
  #handoverCursor = '$';
  #started = false;
  /** One loop at a time, each for one life of the connection. */
  #turn = 0;

  constructor(options: LogReaderOptions) {
    this.#options = options;
  }

  /** The connection is new: reads on from where it was, at first all that there is. @throws Error */
  async begin(): Promise<void> {
    const turn = ++this.#turn;
    if (!this.#started) await this.#load();
    this.#started = true;
    void this.#run(turn);
  }

  /** What it waited for will not come. */
  stop(): void {
    this.#turn++;
  }

  get #redis(): Redis {
    return this.#options.connections.subscriber;
  }

  async #load(): Promise<void> {
    const { stream, head } = this.#options.names;
    const [top] = await this.#range('XREVRANGE', '+', '-', 1);
    const [epoch, index] = await this.#redis.hmget(head, 'epoch', 'index');
    const [first] = await this.#range('XRANGE', '-', '+', 1);
    const firstPlace = first && parsePosition(first[0].toString());
    const start = firstPlace ?? parsePosition(`${epoch}-${index}`);
    // "Before the first" of an epoch is its place 0; before that of the whole log there is nothing at all.
    this.place = start === null ? NOWHERE : { ...start, index: start.index - (firstPlace ? 1 : 0) };
    this.#options.onStart(this.place);
    const end = top?.[0].toString();
    this.#cursor = start === null ? '0' : formatPosition(this.place);
    if (end === undefined) return;
    for (let from = '-'; ; from = `(${this.#cursor}`) {
      const page = await this.#range('XRANGE', from, end, PAGE_ENTRIES);
      for (const [id, fields] of page) this.#take(id.toString(), fields, true);
      if (page.length < PAGE_ENTRIES) break;
    }
    this.#options.log.info({ entries: stream, position: end }, 'read the log of broadcasts');
  }

  async #range(command: 'XRANGE' | 'XREVRANGE', from: string, to: string, count: number): Promise<Entries> {
    const { stream } = this.#options.names;
    return (await this.#redis.callBuffer(command, stream, from, to, 'COUNT', count)) as Entries;
  }

  async #run(turn: number): Promise<void> {
    // Below the command's timeout, which would otherwise end each quiet wait.
    const blockMs = Math.max(1, Math.floor(this.#options.connections.settings.commandTimeoutMs / 2));
    let turnMs = 0;
    while (turn === this.#turn) {
      try {
        const replies = await this.#read(blockMs, turnMs > DEAR_TURN_MS);
        const cursor = this.#cursor;
        const startMs = performance.now();
        for (const reply of replies) if (turn === this.#turn) this.#takeReply(reply);
        // What this turn gathered is written to sockets at its end. What is appended meanwhile comes in one reply then,
        // and leaves gathered too, instead of its first entry alone.
        await nextTurn();
        turnMs = performance.now() - startMs;
        // Only an id that cannot be passed: until the log is opened anew it comes at once each time.
        if (replies[0] !== null && cursor === this.#cursor) await sleep(FOREIGN_PAUSE_MS);
      } catch (err) {
        // A timeout, where Redis stands still: the same is asked again. A lost connection has its own way back.
        if (this.#redis.status !== 'ready') return;
        await sleep(blockMs);
        if (turn === this.#turn) this.#tell(err);
      }
    }
  }

  /**
   * What comes next. Sockets are written once a turn, so where that is dear, what has been heard and is being appended
   * comes along: the longer way by the log would otherwise divide a crowd of broadcasts into more turns than plain
   * Pub/Sub does, and cost half as much again.
   */
  async #read(blockMs: number, dear: boolean): Promise<readonly Reply[]> {
    const reply = await this.#xread(blockMs, this.#cursor);
    const last = lastPlaceOf(reply, this.#options.names.stream);
    if (!dear || last === null || !this.#options.heardBeyond(last)) return [reply];
    return [reply, await this.#xread(GATHER_MS, formatPosition(last))];
  }

  async #xread(blockMs: number, cursor: string): Promise<Reply> {
    const { stream, handover } = this.#options.names;
    const keys = [stream, handover, cursor, this.#handoverCursor] as const;
    return (await this.#redis.xreadBuffer(
      'COUNT',
      PAGE_ENTRIES,
      'BLOCK',
      blockMs,
      'STREAMS',
      ...keys,
    )) as Reply;
  }

  #tell(err: unknown): void {
    const reason = err instanceof Error ? err.message : String(err);
    this.#options.log.warn({ reason }, 'reading the log failed, trying again');
  }

  #takeReply(reply: Reply): void {
    for (const [key, entries] of reply ?? []) {
      if (key.toString() === this.#options.names.stream) {
        for (const [id, fields] of entries) this.#take(id.toString(), fields, false);
      } else {
        this.#handoverCursor = entries.at(-1)?.[0].toString() ?? this.#handoverCursor;
        this.#options.onHandover();
      }
    }
  }

  #take(id: string, fields: readonly Buffer[] | null, old: boolean): void {
    const at = parsePosition(id);
    // Not moved on by an id beyond all that a position can be: there would be nothing after it.
    if (at !== null) this.#cursor = id;
    const [nameKey, name, payloadKey, payload] = fields ?? [];
    if (
      at === null ||
      nameKey?.toString() !== 'c' ||
      payloadKey?.toString() !== 'd' ||
      !name ||
      !payload ||
      fields?.length !== 4
    )
      return this.#options.onForeign();
    if (!old) this.#fillHole(at);
    this.#follow(at, name.toString(), old);
    this.#give({ at, name: name.toString(), payload }, old);
  }

  #give(entry: LogEntry, old: boolean): void {
    this.place = entry.at;
    this.#options.onEntry(entry, old);
  }

  /** What was deleted from the log before it was read here (FLUSHALL): this node has heard it too. */
  #fillHole({ epoch, index }: Position): void {
    const { place } = this;
    const missing = epoch === place.epoch ? index - place.index - 1 : 0;
    const heard = missing > 0 ? this.#options.heardAfter(place, missing) : [];
    if (heard.length < missing) return;
    for (const [i, { name, payload }] of heard.entries())
      this.#give({ at: { epoch, index: place.index + 1 + i }, name: name.toString(), payload }, false);
  }

  /** Whether this is what had to come next. */
  #follow(at: Position, name: string, old: boolean): void {
    const { epoch, index } = this.place;
    if (at.epoch === epoch && at.index === index + 1) return;
    // The very first epoch of all: there was nothing that could be missing, and nothing that somebody could come back to.
    if (epoch === 0 && at.index === 1 && !old) return this.#options.onStart({ epoch: at.epoch, index: 0 });
    if (epoch === 0 && old) return;
    if (name === EPOCH_NAME && at.index === 1) return this.#options.onHole(at, 'log_restarted');
    // In front of the entry, which is given as any other: who is told the gap and cut off then must still get it.
    this.#options.onHole({ ...at, index: at.index - 1 }, 'log_hole');
  }
}

function lastPlaceOf(reply: Reply, stream: string): Position | null {
  const entries = reply?.find(([key]) => key.toString() === stream)?.[1];
  const id = entries?.at(-1)?.[0];
  return id === undefined ? null : parsePosition(id.toString());
}

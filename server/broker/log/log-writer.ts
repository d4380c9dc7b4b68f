import { setImmediate as nextTurn } from 'node:timers/promises';
import { comparePositions, type Position } from '../../domain/position.ts';
import type { BrokerLog } from '../broker-log.ts';
import type { LogCommands, LogMessage } from './log-commands.ts';
import type { LogReader } from './log-reader.ts';
import type { Ring } from './ring.ts';

export interface LogWriterOptions {
  readonly ring: Ring;
  readonly commands: LogCommands;
  readonly reader: LogReader;
  readonly log: BrokerLog;
  readonly keepFrom: () => string | null;
  /** The log is not what the ring was aligned to. */
  readonly onUnaligned: (why: 'other_epoch' | 'hole' | 'foreign') => void;
}

interface Batch {
  /** Of its first message. */
  readonly place: Position;
  readonly messages: readonly LogMessage[];
}

const BATCH_MESSAGES = 400;
const BATCH_BYTES = 1_000_000;
const RETRY_MS = 100;

/** Writes what one ring heard to the log, a batch at a time. */
export class LogWriter {
  readonly #options: LogWriterOptions;
  /** The last that it wrote was news: this node is the one that writes. */
  active = false;
  #written: Position = { epoch: 0, index: 0 };
  #running: Promise<void> | null = null;
  #scheduled = false;
  #stopped = false;

  constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  /** The log is known to end here, which the reader may not have read yet. */
  continueAfter(place: Position): void {
    this.#written = place;
    this.write();
  }

  /** Together with what else is heard in this turn. */
  writeSoon(): void {
    if (this.#scheduled || this.#running !== null) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.write();
    });
  }

  write(): void {
    if (this.#stopped) return;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  /** Resolves when all that was heard is written, or after `limitMs`. */
  async flush(limitMs: number): Promise<void> {
    const endMs = performance.now() + limitMs;
    while (!this.#stopped && performance.now() < endMs) {
      this.write();
      await this.#running;
      if (this.#next() === null) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  stop(): void {
    this.#stopped = true;
    this.active = false;
  }

  /** What comes next, and its place; null where nothing does. */
  #next(): Batch | null {
    const { ring, reader } = this.#options;
    const from = comparePositions(this.#written, reader.place) > 0 ? this.#written : reader.place;
    const messages = ring.after(from, BATCH_MESSAGES, BATCH_BYTES);
    return messages.length === 0 ? null : { place: { ...from, index: from.index + 1 }, messages };
  }

  async #run(): Promise<void> {
    for (let next = this.#next(); next !== null && !this.#stopped; next = this.#next()) {
      try {
        if (!(await this.#append(next))) return;
        // Together with what came beside the answer: one batch is one turn of deliveries, which cost by the turn.
        await nextTurn();
      } catch {
        // Redis did not answer (which the bus tells) or takes no writes: the ring keeps it, and it is tried again.
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        return;
      }
    }
  }

  /** @returns whether to go on */
  async #append({ place, messages }: Batch): Promise<boolean> {
    const { commands, ring, log, keepFrom, onUnaligned } = this.#options;
    const answer = await commands.append(place, messages, keepFrom());
    switch (answer.outcome) {
      case 'taken':
        this.#written = { epoch: place.epoch, index: place.index + messages.length - 1 };
        // Nothing of it was new: somebody else writes.
        this.active = answer.fresh > 0;
        return this.active;
      case 'hole': {
        // The log went back (a failover). Perhaps what it lost is still here.
        const last = { epoch: place.epoch, index: answer.last };
        this.#written = last;
        if (ring.after(last, 1, 1).length > 0) return true;
        break;
      }
      case 'foreign':
        log.error({}, 'something else writes to the log of broadcasts; beginning a new epoch');
        break;
      case 'other_epoch':
        if (await commands.restore({ epoch: place.epoch, index: place.index - 1 }))
          log.warn(
            { position: place },
            'the log was deleted in Redis; it goes on, without what it kept there',
          );
        // Or another node was faster.
        else if ((await commands.head())?.epoch !== place.epoch) break;
        return true;
      default:
        answer satisfies never;
    }
    this.active = false;
    onUnaligned(answer.outcome);
    return false;
  }
}

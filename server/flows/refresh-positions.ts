import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Connection } from '../connection/connection.ts';
import type { Frame } from '../domain/frame.ts';
import { parsePosition } from '../domain/position.ts';
import type { Protocol } from '../domain/protocol.ts';
import type { Parts } from './parts.ts';

/** How often is looked whether it is time, in milliseconds. */
const LOOK_MS = 500;
/** Clients are told before their position is so large a part of the history old. */
const SHARE = 1 / 8;
/** Clients told in one turn. */
const BATCH = 1_000;

/**
 * Tells clients on whose channels nothing happens how far they are. Otherwise their position would grow older than the
 * history, and a quiet page that is cut would be told that it missed something.
 */
export class PositionRefresh {
  readonly #parts: Parts;
  readonly #timer: NodeJS.Timeout | null;
  /** Encoded once for all clients of a protocol. */
  readonly #frames = new Map<Protocol, { readonly position: string; readonly frame: Frame }>();
  #last: { readonly position: string; readonly atMs: number } | null = null;
  #running = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#timer = parts.settings.history === null ? null : setInterval(() => this.#look(), LOOK_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #look(): void {
    const position = this.#parts.bus.position();
    if (position === null || this.#running || !this.#isTime(position)) return;
    this.#last = { position, atMs: Date.now() };
    this.#running = true;
    void this.#tellAll().finally(() => {
      this.#running = false;
    });
  }

  /**
   * Nothing has happened: everybody is as far as can be. Else by time, or by number where much happens; and at once in a
   * new epoch, which clients were told of as a gap: they have only got as far as before it.
   */
  #isTime(position: string): boolean {
    const { history } = this.#parts.settings;
    if (this.#last === null) this.#last = { position: '', atMs: Date.now() };
    if (history === null || position === this.#last.position) return false;
    const [now, last] = [parsePosition(position), parsePosition(this.#last.position)];
    if (now === null || last?.epoch !== now.epoch) return true;
    return (
      Date.now() - this.#last.atMs >= history.historyMs * SHARE ||
      now.index - last.index >= history.historyEntries * SHARE
    );
  }

  async #tellAll(): Promise<void> {
    let told = 0;
    for (const connection of [...this.#parts.connections]) {
      // The position of this very turn: everything up to it has been written.
      this.#tell(connection);
      if (++told % BATCH === 0) await nextTurn();
    }
  }

  #tell(connection: Connection): void {
    const { protocol, subscriptions, arriving, positionsHeld } = connection;
    const position = this.#parts.bus.position();
    if (position === null || protocol.encodePosition === undefined) return;
    if (subscriptions.size === 0 || arriving.size > 0 || positionsHeld) return;
    let known = this.#frames.get(protocol);
    if (known?.position !== position) {
      known = { position, frame: protocol.encodePosition(position) };
      this.#frames.set(protocol, known);
    }
    connection.write(known.frame);
  }
}

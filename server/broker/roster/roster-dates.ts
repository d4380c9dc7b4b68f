import type { Redis } from 'ioredis';
import type { RedisConnections } from '../redis/redis-connections.ts';
import { nodeCommands } from './node-commands.ts';
import type { RedisRoom } from './redis-room.ts';
import { forEach } from './roster-steps.ts';

/** Rooms that are looked at before the list is read again. */
const ROOMS_AT_ONCE = 200;

export interface RosterDatesOptions {
  readonly connections: RedisConnections;
  readonly room: (name: string) => RedisRoom;
  /** Told what went wrong in a sweep of the timer; the next round makes up for it. */
  readonly onFailure: (err: unknown) => void;
}

/**
 * When rooms are to be looked at, because somebody lingers there. The dates are in the store, by its clock: whoever
 * comes first announces the leaving, also when the node that it began on is gone. Each node sets its timer to the
 * next date that it knows of, and looks once in each of its rounds.
 */
export class RosterDates {
  readonly #connections: RedisConnections;
  readonly #room: (name: string) => RedisRoom;
  readonly #onFailure: (err: unknown) => void;
  readonly #key: string;
  #timer: NodeJS.Timeout | null = null;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #sweep: Promise<void> | null = null;
  #stopped = false;

  constructor({ connections, room, onFailure }: RosterDatesOptions) {
    this.#connections = connections;
    this.#room = room;
    this.#onFailure = onFailure;
    this.#key = `${connections.settings.prefix}yamabiko:lingering`;
  }

  /** To be sent behind what makes somebody linger, in the same turn: a crash between them would leave him for ever. */
  async schedule(redis: Redis, room: string, delayMs: number): Promise<void> {
    await nodeCommands(redis).yamabikoSchedule(this.#key, room, delayMs);
    this.#setTimer(delayMs);
  }

  /** Announces in every room those whose time is over. One at a time; who comes meanwhile shares it. @throws UnavailableError */
  sweep(): Promise<void> {
    this.#sweep ??= this.#sweepAll().finally(() => {
      this.#sweep = null;
    });
    return this.#sweep;
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async #sweepAll(): Promise<void> {
    let due: (readonly [string, string])[];
    do {
      const reply = await this.#connections.call((redis) =>
        nodeCommands(redis).yamabikoDue(this.#key, ROOMS_AT_ONCE),
      );
      const [nextMs, entries] = reply as [number, string[]];
      due = pairs(entries);
      await forEach(due, ([name, date]) => this.#lookAt(name, date));
      if (nextMs >= 0) this.#setTimer(nextMs);
    } while (due.length === ROOMS_AT_ONCE);
  }

  async #lookAt(name: string, date: string): Promise<void> {
    const nextMs = await this.#connections.call((redis) => this.#room(name).sweep(redis));
    await this.#connections.call((redis) =>
      nodeCommands(redis).yamabikoSettle(this.#key, name, date, nextMs ?? -1),
    );
    if (nextMs !== null) this.#setTimer(nextMs);
  }

  #setTimer(delayMs: number): void {
    const atMs = performance.now() + delayMs;
    if (this.#stopped || atMs >= this.#timerAtMs) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      this.sweep().catch(this.#onFailure);
    }, delayMs);
    this.#timer.unref();
  }
}

function pairs(flat: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) result.push([flat[i] ?? '', flat[i + 1] ?? '']);
  return result;
}

import { randomUUID } from 'node:crypto';
import type { Frame } from '../domain/frame.ts';
import { type Closure, type Rejection, rejectFor } from '../domain/outcome.ts';
import type { Protocol } from '../domain/protocol.ts';
import { createSocketId } from '../domain/socket-id.ts';
import { CommandQueue } from './command-queue.ts';
import { CommandRates, type RateSettings } from './command-rates.ts';
import { Outbox } from './outbox.ts';
import type { Subscription } from './subscription.ts';
import type { Transport } from './transport.ts';

export interface ConnectionSettings extends RateSettings {
  /** Commands that may wait or run at once; from 1. */
  readonly maxPendingCommands: number;
  /** Bytes that these may hold, about. */
  readonly maxPendingBytes: number;
  /** Bytes that may wait for a slow reader before the connection is ended with `too_slow`. */
  readonly outboxBytes: number;
}

/** What those in front take is not known; a client that comes back sooner is refused once more, and no harm done. */
const CROWDED_RETRY_MS = 1_000;

/** One try to join a channel. What it does and undoes is its own alone: a later try never sees its leftovers. */
export interface Attempt {
  readonly wire: string;
  readonly signal: AbortSignal;
}

/** One client's state, whatever its protocol. */
export class Connection {
  readonly id = randomUUID();
  /** Its own id, which the client sends to Laravel as X-Socket-ID, then those of the connections that it continues. */
  readonly socketIds: readonly [string, ...string[]];
  /** What other clients see of it in member lists: random, opens nothing. */
  readonly memberSocketId = createSocketId();
  readonly protocol: Protocol;
  readonly subscriptions = new Map<string, Subscription>();
  /** Admitted, but not live yet: they are given what they missed, or wait for it. */
  readonly arriving = new Map<string, Subscription>();
  /**
   * What is sent live bears no position, since one of the client's channels has not got so far: a client that is cut
   * now would come back with a position that it has not reached.
   */
  positionsHeld = false;
  /** Something was sent so: cut now, the client would be given it once more. */
  positionOwed = false;
  readonly commands: CommandQueue;
  readonly openedAtMs = Date.now();
  readonly #rates: CommandRates;
  readonly #transport: Transport;
  readonly #outbox: Outbox;
  #closure: Closure | null = null;
  #closed = false;
  #onEnd: (closure: Closure) => void = () => {};
  readonly #attempts = new Map<string, AbortController>();

  constructor(
    protocol: Protocol,
    transport: Transport,
    settings: ConnectionSettings,
    socketIds: readonly [string, ...string[]] = [createSocketId()],
  ) {
    this.protocol = protocol;
    this.socketIds = socketIds;
    this.commands = new CommandQueue(settings.maxPendingCommands, settings.maxPendingBytes);
    this.#rates = new CommandRates(settings);
    this.#transport = transport;
    this.#outbox = new Outbox(transport, settings.outboxBytes);
  }

  get socketId(): string {
    return this.socketIds[0];
  }

  /** Its transport is gone. */
  get closed(): boolean {
    return this.#closed;
  }

  /** It is over or ends: what the client still sends counts no more. */
  get ending(): boolean {
    return this.#closed || this.#closure !== null;
  }

  /** Why this server ended it, or null: it lives, or the client or the network ended it. */
  get closure(): Closure | null {
    return this.#closure;
  }

  /** Channels that it is subscribed to, or tries to be. */
  get channelCount(): number {
    return this.subscriptions.size + this.#attempts.size;
  }

  write(frame: Frame): void {
    if (!this.keepsUp()) return;
    if (frame.withoutPosition === undefined) return this.#outbox.write(frame);
    this.positionOwed = this.positionsHeld;
    this.#outbox.write(this.positionsHeld ? frame.withoutPosition() : frame);
  }

  /** Sends what the client missed, as it is; paced by `drained`, so that it counts against nobody as slow. */
  replay(frame: Frame): void {
    if (!this.ending) this.#outbox.replay(frame);
  }

  /** Whether the client may be sent something. Where it is too slow for it this ends the connection. */
  keepsUp(): boolean {
    if (this.ending) return false;
    return this.#outbox.keepsUp() || this.#tooSlow();
  }

  /** Whether a replay should wait for `drained` before it goes on. */
  get filling(): boolean {
    return this.#outbox.isFilling();
  }

  /** Resolves when the client has read on; ends the connection where it does not. @throws the signal's reason */
  async drained(signal: AbortSignal): Promise<void> {
    if (!(await this.#outbox.drained(signal))) this.#tooSlow();
  }

  /** Why one more command is not taken now, or null. Far beyond its rate this ends the connection. */
  commandRefusal(): Rejection | null {
    const waitMs = this.#rates.command();
    return waitMs === 0 ? null : this.#tooFast('too many commands, slow down', waitMs);
  }

  /** The same for a whisper. */
  whisperRefusal(): Rejection | null {
    const waitMs = this.#rates.whisper();
    return waitMs === 0 ? null : this.#tooFast('too many whispers, slow down', waitMs);
  }

  /**
   * The turn of a subscribe or unsubscribe.
   * @param units what it costs
   * @returns how long it is to wait, in milliseconds, or why it is not taken at all
   */
  turnOf(units: number): number | Rejection {
    const turn = this.#rates.turn(units);
    if ('waitMs' in turn) return turn.waitMs;
    return this.#tooFast('too many subscribes, slow down', turn.retryAfterMs);
  }

  /** Why a command is not taken for which the queue has no room. */
  crowded(): Rejection {
    return this.#tooFast('too many commands are waiting', CROWDED_RETRY_MS);
  }

  /** Ends one subscription for the client; the flow has already taken it out of everything. */
  revoked(...args: Parameters<Transport['revoked']>): void {
    if (!this.ending) this.#transport.revoked(...args);
  }

  /**
   * Asks the transport to end, once; nothing more is written, and no attempt comes to its end. The protocol then
   * reports the end, which runs drop-connection.
   */
  end(closure: Closure): void {
    if (this.ending) return;
    this.#closure = closure;
    this.#cancelAttempts();
    this.#onEnd(closure);
    this.#transport.close(closure);
  }

  /** @param listener told once where this server ends the connection, whatever for; for counting */
  onEnd(listener: (closure: Closure) => void): void {
    this.#onEnd = listener;
  }

  /** Begins a new attempt on a channel; an earlier one that still runs is cancelled. */
  beginAttempt(wire: string): Attempt {
    this.cancelAttempt(wire);
    const controller = new AbortController();
    if (this.ending) controller.abort();
    this.#attempts.set(wire, controller);
    return { wire, signal: controller.signal };
  }

  /** @param why what the client is answered; without it: that something overtook its subscribe */
  cancelAttempt(wire: string, why?: Rejection): void {
    this.#attempts.get(wire)?.abort(why);
    this.#attempts.delete(wire);
  }

  /** The attempt has come to its end, whichever; only its own entry is taken away. */
  endAttempt(attempt: Attempt): void {
    if (this.#attempts.get(attempt.wire)?.signal === attempt.signal) this.#attempts.delete(attempt.wire);
  }

  /** The transport is gone: nothing is written any more, and every attempt ends. */
  markClosed(): void {
    this.#closed = true;
    this.#cancelAttempts();
  }

  /** The user that this connection has proved to be in a room, or null. */
  userIdIn(room: string | null): string | null {
    if (room === null) return null;
    return userIdAmong(this.subscriptions, room) ?? userIdAmong(this.arriving, room);
  }

  #tooFast(message: string, retryAfterMs: number): Rejection {
    if (!this.#rates.toleratesRefusal()) {
      const { refusalsWaitMs } = this.#rates;
      this.end({
        code: 'rate_limited',
        message: 'this connection is far too fast',
        retryAfterMs: refusalsWaitMs,
      });
    }
    return rejectFor('rate_limited', message, retryAfterMs);
  }

  #tooSlow(): false {
    this.end({ code: 'too_slow', message: 'this client reads more slowly than it is sent to' });
    return false;
  }

  #cancelAttempts(): void {
    for (const wire of [...this.#attempts.keys()]) this.cancelAttempt(wire);
  }
}

function userIdAmong(subscriptions: ReadonlyMap<string, Subscription>, room: string): string | null {
  for (const subscription of subscriptions.values())
    if (subscription.room === room && subscription.member !== null) return subscription.member.userId;
  return null;
}

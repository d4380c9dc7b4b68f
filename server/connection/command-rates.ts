import { TokenBucket } from './token-bucket.ts';

/** Bursts, and how many a second after them (protocol.md section 10). */
export interface RateSettings {
  /** Sends, whispers, and what makes no sense. */
  readonly commandBurst: number;
  readonly commandsPerSecond: number;
  /** Whispers, which count as commands too. */
  readonly whisperBurst: number;
  readonly whispersPerSecond: number;
  /** In units: what a subscribe or unsubscribe costs. */
  readonly joinBurst: number;
  readonly joinsPerSecond: number;
}

/**
 * "Far beyond" the rate (protocol.md section 10) follows from it: refusals have a bucket of their own, refilled as
 * fast. So a client at up to twice its rate is only refused, for ever; one that sends its burst many times over at
 * once, or goes on faster than that, does not listen to refusals and is ended before it costs more of them.
 */
const TOLERATED_REFUSAL_BURSTS = 5;

/** A subscribe that would wait longer for its turn is refused: the client should know, and nothing may pile up. */
const MAX_TURN_MS = 10_000;

/** How fast one connection may be. */
export class CommandRates {
  readonly #commands: TokenBucket;
  readonly #whispers: TokenBucket;
  readonly #joins: TokenBucket;
  readonly #refusals: TokenBucket;

  constructor(settings: RateSettings) {
    const { commandBurst, commandsPerSecond } = settings;
    this.#commands = new TokenBucket(commandBurst, commandsPerSecond);
    this.#whispers = new TokenBucket(settings.whisperBurst, settings.whispersPerSecond);
    this.#joins = new TokenBucket(settings.joinBurst, settings.joinsPerSecond);
    this.#refusals = new TokenBucket(commandBurst * TOLERATED_REFUSAL_BURSTS, commandsPerSecond);
  }

  /** @returns 0 where one more command is within the rate, else milliseconds until one is */
  command(): number {
    return this.#commands.take() ? 0 : this.#commands.waitMs();
  }

  /** The same for a whisper. */
  whisper(): number {
    return this.#whispers.take() ? this.command() : this.#whispers.waitMs();
  }

  /**
   * The turn of a subscribe or unsubscribe.
   * @returns `waitMs` to wait for it, 0 for none; or `retryAfterMs` where there is no turn soon enough
   */
  turn(units: number): { readonly waitMs: number } | { readonly retryAfterMs: number } {
    const waitMs = this.#joins.reserve(units, MAX_TURN_MS);
    return waitMs > MAX_TURN_MS ? { retryAfterMs: waitMs - MAX_TURN_MS } : { waitMs };
  }

  /** @returns false where so much has been refused already that the connection is to be ended */
  toleratesRefusal(): boolean {
    return this.#refusals.take();
  }

  /** When so much may be tried anew, in milliseconds. */
  get refusalsWaitMs(): number {
    return this.#refusals.waitMs();
  }
}

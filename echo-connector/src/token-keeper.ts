import type { SharedQuestions, TokenAnswer } from './token-source.ts';

/** A token, null for "there is none", and the time at which to replace it; null where it has no known end. */
export interface HeldToken {
  readonly token: string | null;
  renewAtMs: number | null;
}

/**
 * The token of one subscription, kept over reconnects: one that is not yet due saves Laravel a request for each
 * channel of each page when the server restarts.
 */
export class TokenKeeper {
  readonly #channel: string | null;
  readonly #questions: SharedQuestions;
  #held: HeldToken | null = null;

  /** `channel`: the name that the token's claim must bear, or null where no token can open the channel. */
  constructor(channel: string | null, questions: SharedQuestions) {
    this.#channel = channel;
    this.#questions = questions;
  }

  /** The token in hand, unless it is due. */
  usable(): HeldToken | null {
    if (this.#held === null) return null;
    const { renewAtMs } = this.#held;
    return renewAtMs === null || Date.now() < renewAtMs ? this.#held : null;
  }

  ask(): Promise<TokenAnswer> {
    if (this.#channel === null) return Promise.resolve({ ok: true, token: null });
    return this.#questions.ask(this.#channel);
  }

  keep(token: string | null): HeldToken {
    this.#held = { token, renewAtMs: null };
    return this.#held;
  }

  /** It was refused: the next try asks for another. */
  drop(): void {
    this.#held = null;
  }
}

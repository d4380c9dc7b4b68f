import type { Refusal } from './wire.ts';

/**
 * Where a channel's token comes from: one token, a map by channel, or a function. `channel` is the name without
 * Echo's prefix, whichever of channel(), private() and join() asks: one token opens all three. null, or a
 * channel that the map does not know: there is no token, and the channel is a public one.
 */
export type TokenSource =
  | string
  | Readonly<Record<string, string | null | undefined>>
  | ((channel: string) => string | null | Promise<string | null>);

/** `final`: asking again would bring the same no. */
export type TokenAnswer =
  | { readonly ok: true; readonly token: string | null }
  | { readonly ok: false; readonly refusal: Refusal; readonly final: boolean };

/** Asks for one channel's token. Never throws: a failure is an answer. */
export type AskToken = (channel: string) => Promise<TokenAnswer>;

/** Turns the option `token` into something to ask; `timeoutMs` bounds a function that never settles. */
export function askSource(source: TokenSource, timeoutMs: number): AskToken {
  if (typeof source === 'string') return async () => tokenAnswer(source);
  if (typeof source !== 'function') {
    return async (channel) => tokenAnswer(Object.hasOwn(source, channel) ? source[channel] : null);
  }
  return async (channel) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no token within ${timeoutMs} ms`)), timeoutMs);
    });
    try {
      return tokenAnswer(await Promise.race([source(channel), late]));
    } catch (error) {
      return failed(0, error instanceof Error ? error.message : 'the token function failed');
    } finally {
      clearTimeout(timer);
    }
  };
}

/** Several subscriptions of one channel that ask in the same moment share one question. */
export class SharedQuestions {
  readonly #ask: AskToken;
  readonly #open = new Map<string, Promise<TokenAnswer>>();

  constructor(ask: AskToken) {
    this.#ask = ask;
  }

  ask(channel: string): Promise<TokenAnswer> {
    const running = this.#open.get(channel);
    if (running) return running;
    const asked = this.#ask(channel).finally(() => {
      if (this.#open.get(channel) === asked) this.#open.delete(channel);
    });
    this.#open.set(channel, asked);
    return asked;
  }

  /** Who left a channel and joins it anew may be another user: the answer to the old question is not theirs. */
  forget(channel: string): void {
    this.#open.delete(channel);
  }
}

/** What a source or an endpoint handed over, as an answer. */
export function tokenAnswer(value: unknown): TokenAnswer {
  if (value === null || value === undefined) return { ok: true, token: null };
  if (typeof value === 'string' && value !== '') return { ok: true, token: value };
  return failed(502, 'the token source gave neither a token nor null');
}

/** A failure that may pass. */
export function failed(status: number, message: string): TokenAnswer {
  return { ok: false, final: false, refusal: { code: 'auth_error', status, message } };
}

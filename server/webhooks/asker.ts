import { jsonValue } from '../domain/json-text.ts';
import type { SigningKey } from './signature.ts';
import { type EndpointAnswer, type EndpointSettings, SignedEndpoint } from './signed-endpoint.ts';

/** A client's message, before anybody sees it. */
export interface AskedMessage {
  /** The room. */
  readonly channel: string;
  readonly userId: string;
  readonly userName: string;
  readonly socketId: string;
  /** JSON text, as the client sent it. */
  readonly data: string;
}

export type AskOutcome =
  /** `data`: JSON text that goes out instead of the client's; null: the client's own. */
  | { readonly type: 'allowed'; readonly data: string | null }
  | { readonly type: 'denied'; readonly code: string | null; readonly message: string }
  /** Laravel is away, too slow, or has too many questions already. */
  | { readonly type: 'unavailable'; readonly reason: string }
  /** It answered something that is neither yes nor no. */
  | { readonly type: 'senseless'; readonly reason: string };

/** Questions that may be under way at once; more are refused, since who waits longer than a moment sends again. */
const MAX_PENDING = 200;
const LARAVELS_CODE = /^[a-z0-9_.-]{1,64}$/i;
const MAX_MESSAGE_LENGTH = 500;
const AWAY = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Asks Laravel whether a client's message may be sent (docs/laravel.md). Never throws. */
export class Asker {
  readonly #endpoint: SignedEndpoint;
  readonly #stopped = new AbortController();
  #pending = 0;

  constructor(settings: EndpointSettings, key: SigningKey) {
    this.#endpoint = new SignedEndpoint(settings, key);
  }

  async ask(message: AskedMessage): Promise<AskOutcome> {
    if (this.#pending >= MAX_PENDING) return { type: 'unavailable', reason: 'too many questions' };
    this.#pending++;
    try {
      return outcomeOf(await this.#endpoint.post(bodyOf(message), this.#stopped.signal));
    } finally {
      this.#pending--;
    }
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#endpoint.stop();
  }
}

function bodyOf({ channel, userId, userName, socketId, data }: AskedMessage): string {
  const fields = { time_ms: Date.now(), channel, user_id: userId, user_name: userName, socket_id: socketId };
  return `${JSON.stringify(fields).slice(0, -1)},"data":${data}}`;
}

function outcomeOf(answer: EndpointAnswer): AskOutcome {
  if (answer.type === 'network') return { type: 'unavailable', reason: answer.reason };
  const { status, body } = answer;
  if (AWAY.has(status)) return { type: 'unavailable', reason: `status ${status}` };
  // Whatever else is no 200 said nothing of this message: a login page, a route that is missing, a wrong secret.
  if (status !== 200) return { type: 'senseless', reason: `status ${status}` };
  const said = objectOf(body);
  if (said === null || typeof said.allow !== 'boolean') return { type: 'senseless', reason: 'no allow' };
  return said.allow ? allowed(body ?? '', said) : denied(said);
}

function allowed(body: string, said: Readonly<Record<string, unknown>>): AskOutcome {
  if (said.data === undefined || said.data === null) return { type: 'allowed', data: null };
  const data = jsonValue(body, 'data');
  if (typeof said.data !== 'object' || Array.isArray(said.data) || data === undefined)
    return { type: 'senseless', reason: 'data is no object' };
  return { type: 'allowed', data };
}

function denied({ code = null, message = null }: Readonly<Record<string, unknown>>): AskOutcome {
  const isCode = code === null || (typeof code === 'string' && LARAVELS_CODE.test(code));
  if (!isCode || (message !== null && typeof message !== 'string'))
    return { type: 'senseless', reason: 'a denial with a code or message that is no text' };
  const text = (message ?? 'denied by the application').slice(0, MAX_MESSAGE_LENGTH);
  return { type: 'denied', code: code as string | null, message: text };
}

function objectOf(body: string | null): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(body ?? '');
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

import { Agent, type Dispatcher } from 'undici';
import { type SigningKey, signatureHeaders } from './signature.ts';

export type EndpointAnswer =
  | {
      readonly type: 'answer';
      readonly status: number;
      /** Null where it is larger than what is read. */
      readonly body: string | null;
      /** How long Laravel asks to be left alone, in milliseconds, or null. */
      readonly retryAfterMs: number | null;
    }
  /** No answer: refused, reset, too late, no HTTP. `reason` is a code such as ECONNREFUSED. */
  | { readonly type: 'network'; readonly reason: string };

export interface EndpointSettings {
  /** The whole URL, from the configuration and nowhere else. */
  readonly url: string;
  /** Longest time of one exchange, in milliseconds. */
  readonly timeoutMs: number;
}

/** Longest answer that is read, in bytes: what Laravel says of a webhook is read for its status alone. */
const MAX_ANSWER_BYTES = 262_144;

/** Signed POSTs of JSON to one address of Laravel; the only file here that knows undici. Redirects are never followed. */
export class SignedEndpoint {
  readonly #url: URL;
  readonly #timeoutMs: number;
  readonly #key: SigningKey;
  readonly #agent: Agent;

  constructor({ url, timeoutMs }: EndpointSettings, key: SigningKey) {
    this.#url = new URL(url);
    this.#timeoutMs = timeoutMs;
    this.#key = key;
    this.#agent = new Agent({
      connect: { timeout: timeoutMs },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
  }

  /** Never throws: what goes wrong is an answer. */
  async post(body: string, signal: AbortSignal): Promise<EndpointAnswer> {
    // Of the whole exchange: an endpoint that sends a byte a second would never be over otherwise.
    const limit = AbortSignal.any([signal, AbortSignal.timeout(this.#timeoutMs)]);
    try {
      const response = await this.#agent.request({
        origin: this.#url.origin,
        path: this.#url.pathname + this.#url.search,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          ...signatureHeaders(this.#key, body),
        },
        body,
        signal: limit,
      });
      return await read(response);
    } catch (error) {
      const { code, name } = error as { code?: unknown; name?: unknown };
      return { type: 'network', reason: limit.aborted ? 'timeout' : String(code ?? name ?? 'unknown') };
    }
  }

  /** Breaks off what is under way. */
  async stop(): Promise<void> {
    await this.#agent.destroy();
  }
}

async function read({ statusCode: status, headers, body }: Dispatcher.ResponseData): Promise<EndpointAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Leaving the loop destroys the stream, so the rest is never read.
    if (bytes > MAX_ANSWER_BYTES) break;
    chunks.push(chunk);
  }
  const text = bytes > MAX_ANSWER_BYTES ? null : Buffer.concat(chunks).toString('utf8');
  return { type: 'answer', status, body: text, retryAfterMs: retryAfterMs(headers['retry-after']) };
}

/** `Retry-After` in seconds; a date is left to the backoff. */
function retryAfterMs(value: string | string[] | undefined): number | null {
  return typeof value === 'string' && /^[0-9]{1,6}$/.test(value) ? Number(value) * 1000 : null;
}

import { Agent, type Dispatcher } from 'undici';

/** One question to Laravel's auth endpoint, as it is sent. */
export interface EndpointRequest {
  /** Names and values by turns. */
  readonly headers: readonly string[];
  /** Form-encoded. */
  readonly body: string;
}

export type EndpointAnswer =
  | {
      readonly type: 'answer';
      readonly status: number;
      readonly body: string;
      /** How long Laravel asks to be left alone, in milliseconds, or null. */
      readonly retryAfterMs: number | null;
    }
  | { readonly type: 'too_large' }
  /** No answer: refused, reset, no such host, TLS. `reason` is a code such as ECONNREFUSED. */
  | { readonly type: 'network'; readonly reason: string };

export interface EndpointSettings {
  /** The whole URL, from the configuration and nowhere else: a client's word here would make us anybody's proxy. */
  readonly authUrl: string;
  /** Longest time of one exchange, in milliseconds. */
  readonly timeoutMs: number;
  /** Largest answer that is read, in bytes. */
  readonly maxBodyBytes: number;
}

/** HTTP to Laravel, one exchange at a time; the only file that knows undici. Redirects are never followed. */
export class LaravelEndpoint {
  readonly #origin: string;
  readonly #path: string;
  readonly #maxBodyBytes: number;
  readonly #agent: Agent;

  constructor({ authUrl, timeoutMs, maxBodyBytes }: EndpointSettings) {
    const url = new URL(authUrl);
    this.#origin = url.origin;
    this.#path = url.pathname + url.search;
    this.#maxBodyBytes = maxBodyBytes;
    this.#agent = new Agent({
      connect: { timeout: timeoutMs, rejectUnauthorized: true },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
  }

  /** Never throws: what goes wrong is an answer, an abort by `signal` too. */
  async post({ headers, body }: EndpointRequest, signal: AbortSignal): Promise<EndpointAnswer> {
    try {
      const response = await this.#agent.request({
        origin: this.#origin,
        path: this.#path,
        method: 'POST',
        headers: [...headers],
        body,
        signal,
      });
      return await this.#read(response);
    } catch (error) {
      return { type: 'network', reason: reasonOf(error) };
    }
  }

  /** Breaks off what is under way. */
  async stop(): Promise<void> {
    await this.#agent.destroy();
  }

  async #read({ statusCode: status, headers, body }: Dispatcher.ResponseData): Promise<EndpointAnswer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      // Leaving the loop destroys the stream, so the rest is never read.
      if (bytes > this.#maxBodyBytes) break;
      chunks.push(chunk);
    }
    const cut = bytes > this.#maxBodyBytes;
    // A refusal counts by its status, however long its page of HTML is.
    if (cut && status === 200) return { type: 'too_large' };
    const text = cut ? '' : Buffer.concat(chunks).toString('utf8');
    return { type: 'answer', status, body: text, retryAfterMs: retryAfterMs(headers['retry-after']) };
  }
}

/** `Retry-After`: seconds or a date (RFC 9110 section 10.2.3). */
function retryAfterMs(value: string | string[] | undefined): number | null {
  if (typeof value !== 'string') return null;
  if (/^[0-9]+$/.test(value)) return Number(value) * 1000;
  const dateMs = Date.parse(value);
  return Number.isNaN(dateMs) ? null : Math.max(0, dateMs - Date.now());
}

function reasonOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return String(code ?? name ?? 'unknown');
}

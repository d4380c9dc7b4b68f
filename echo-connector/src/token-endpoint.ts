import type { ResolvedOptions } from './options.ts';
import { csrfToken, isSameOrigin, xsrfCookie } from './page.ts';
import { type AskToken, failed, type TokenAnswer, tokenAnswer } from './token-source.ts';
import { isRecord } from './wire.ts';

/**
 * Asks Laravel for a token: POST `{channel, channel_name}`, answered by `{token: string | null}`. `channel_name`
 * bears the prefix `private-`, whichever way the page joins: so `Broadcast::auth($request)` decides by the
 * channel's own callback and refuses a guest, as it must for a token that opens the private channel too.
 */
export function askEndpoint(options: ResolvedOptions): AskToken {
  return async (channel) => {
    const headers = requestHeaders(options);
    try {
      const response = await fetch(options.tokenEndpoint, {
        method: 'POST',
        headers,
        credentials: options.withCredentials ? 'include' : 'same-origin',
        body: JSON.stringify({ channel, channel_name: `private-${channel}` }),
        signal: AbortSignal.timeout(options.tokenTimeoutMs),
      });
      return await decodeResponse(response);
    } catch {
      // Network, CORS or time: the browser tells no more, and neither could we.
      return failed(0, `no answer from ${options.tokenEndpoint}`);
    }
  };
}

async function decodeResponse(response: Response): Promise<TokenAnswer> {
  const { status } = response;
  if (status === 401 || status === 403) {
    const code = status === 401 ? 'token_missing' : 'forbidden';
    const message = `Laravel gives no token for this channel (${status})`;
    return { ok: false, final: true, refusal: { code, status, message } };
  }
  if (!response.ok) return failed(status, `the token endpoint answered ${status}`);
  const body: unknown = await response.json().catch(() => undefined);
  if (isRecord(body) && 'token' in body) return tokenAnswer(body.token);
  return failed(502, 'the token endpoint answered without a token');
}

function requestHeaders(options: ResolvedOptions): Record<string, string> {
  const headers: Record<string, string> = {
    Accept: 'application/json',
    'Content-Type': 'application/json',
    'X-Requested-With': 'XMLHttpRequest',
    ...authHeaders(options),
  };
  const cookie = isSameOrigin(options.tokenEndpoint) || options.withCredentials ? xsrfCookie() : null;
  if (cookie !== null) headers['X-XSRF-TOKEN'] = cookie;
  return headers;
}

/**
 * The headers by which Laravel knows the user, as Echo's built-in connectors send them. Made anew for each use
 * and never written back: Echo writes them into defaults that all its instances share, so that one user's bearer
 * token turned up in another's requests.
 */
export function authHeaders(options: ResolvedOptions): Record<string, string> {
  const headers: Record<string, string> = { ...options.auth.headers };
  const csrf = csrfToken(options.csrfToken);
  if (csrf !== null) headers['X-CSRF-TOKEN'] = csrf;
  if (options.bearerToken) headers.Authorization = `Bearer ${options.bearerToken}`;
  return headers;
}

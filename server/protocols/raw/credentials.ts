import type { IncomingMessage } from 'node:http';

/** The token of an upgrade: query `token`, or `Authorization: Bearer`. Null where there is none. */
export function tokenOf(request: IncomingMessage): string | null {
  const token = queryOf(request).get('token');
  if (token !== null && token !== '') return token;
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? null;
}

/**
 * The channel that a token asks for: its `channel` claim, read before it is verified. It only says what the client
 * wants; the access verifies the token and its claim before anything is joined.
 */
export function channelOfToken(token: string | null): string | null {
  const payload = token?.split('.')[1];
  if (payload === undefined) return null;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const channel = (claims as { channel?: unknown } | null)?.channel;
    return typeof channel === 'string' ? channel : null;
  } catch {
    return null;
  }
}

export function queryOf({ url = '' }: IncomingMessage): URLSearchParams {
  const queryAt = url.indexOf('?');
  return new URLSearchParams(queryAt < 0 ? '' : url.slice(queryAt));
}

import type { IncomingMessage } from 'node:http';

/** The token of an upgrade: query `token`, or `Authorization: Bearer`. Null where there is none. */
export function tokenOf(request: IncomingMessage): string | null {
  const { url = '' } = request;
  const queryAt = url.indexOf('?');
  const token = queryAt < 0 ? null : new URLSearchParams(url.slice(queryAt)).get('token');
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

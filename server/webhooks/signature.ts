import { createHmac } from 'node:crypto';

export interface SigningKey {
  /** Named in `X-Pusher-Key`, by which a receiver finds its secret. */
  readonly key: string;
  /** The first signs; the others are signed with as well, for a receiver that has not been given the first yet. */
  readonly secrets: readonly string[];
}

/**
 * Pusher's (protocol.md section 8), which libraries of every language verify: HMAC-SHA256 of the body, in hex. While a
 * secret is being changed `X-Yamabiko-Signatures` bears one for each secret.
 */
export function signatureHeaders(
  { key, secrets }: SigningKey,
  body: string,
): Readonly<Record<string, string>> {
  const signatures = secrets.map((secret) => createHmac('sha256', secret).update(body).digest('hex'));
  return {
    'x-pusher-key': key,
    'x-pusher-signature': signatures[0] ?? '',
    'x-yamabiko-signatures': signatures.join(','),
  };
}

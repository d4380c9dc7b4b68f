import { SignJWT } from 'jose';

/** What Laravel signs, save `iat` and `exp` (protocol.md section 2). */
export interface NewToken {
  readonly id: number;
  readonly name: string;
  readonly channel: string;
}

export type SignToken = (token: NewToken, ttlSeconds: number) => Promise<string>;

/**
 * Signs as Laravel would, HS256: for `yamabiko token` and the demo page. The server itself never needs to.
 * @param secret of at least 32 bytes; the first of the configured ones
 */
export function createTokenSigner(secret: string): SignToken {
  const key = new TextEncoder().encode(secret);
  return ({ id, name, channel }, ttlSeconds) => {
    const nowSeconds = Math.floor(Date.now() / 1000);
    return new SignJWT({ id, name, channel })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + ttlSeconds)
      .sign(key);
  };
}

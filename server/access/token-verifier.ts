import type { KeyObject } from 'node:crypto';
import {
  type CryptoKey,
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  jwtVerify,
} from 'jose';
import type { ReservedNames } from '../domain/channel-name.ts';
import { isRejection, type Rejection, reject } from '../domain/outcome.ts';
import { badClaim, checkClaims, expired, REQUIRED_CLAIMS, type TokenClaims } from './token-claims.ts';
import { type LocalKeys, loadLocalKeys, type PublicKeyAlgorithm } from './token-keys.ts';

export interface TokenSettings {
  /** Shared secrets for HS256, each not empty; the first is the current one, the others are being retired. Default []. */
  readonly secrets: readonly string[];
  /** PEM texts; RSA keys verify RS256, P-256 ES256, Ed25519 EdDSA. Default []. */
  readonly publicKeys: readonly string[];
  /** Where a JSON Web Key Set is fetched, or null. Default null. */
  readonly jwksUrl: string | null;
  /** What the set's keys may verify. Default all three. */
  readonly jwksAlgorithms: readonly PublicKeyAlgorithm[];
  /** How far clocks may differ, in milliseconds, 0 or more. Default 5,000. */
  readonly clockToleranceMs: number;
  /** Whether a membership ends with its token; false checks at the door only. Default true. */
  readonly enforceExpiry: boolean;
}

type VerifiedToken = { readonly ok: true; readonly claims: TokenClaims };

/** Longest token, in characters. Longer ones are refused before any work: strangers send them. */
const MAX_TOKEN_LENGTH = 8192;

/** How long a key set that could not be fetched is left alone, in milliseconds; how long a fetch may take. */
const JWKS_FAILURE_PAUSE_MS = 1000;
const JWKS_TIMEOUT_MS = 5000;

type RemoteKeys = ReturnType<typeof createRemoteJWKSet>;

/** With token-signer.ts the home of jose (protocol.md section 2). Messages name a claim or reason, never the token. */
export class TokenVerifier {
  readonly #settings: TokenSettings;
  readonly #reserved: ReservedNames;
  readonly #local: LocalKeys;
  readonly #remote: RemoteKeys | null;

  /** @throws Error where a configured key cannot be used */
  constructor(settings: TokenSettings, reserved: ReservedNames) {
    this.#settings = settings;
    this.#reserved = reserved;
    this.#local = loadLocalKeys(settings.secrets, settings.publicKeys);
    this.#remote = settings.jwksUrl === null ? null : remoteKeys(new URL(settings.jwksUrl));
  }

  /**
   * @returns the claims, or `token_missing`, `token_invalid`, `token_expired`, `invalid_channel`; `unavailable`
   *   where the key set could not be fetched: that is not the token's fault
   */
  async verify(token: unknown, nowMs: number = Date.now()): Promise<VerifiedToken | Rejection> {
    if (token === undefined || token === null || token === '')
      return reject('token_missing', 'a token is needed');
    if (typeof token !== 'string') return reject('token_invalid', 'the token must be a string');
    if (token.length > MAX_TOKEN_LENGTH) return reject('token_invalid', 'the token is too long');
    const algorithm = algorithmIn(token);
    if (algorithm === null) return reject('token_invalid', 'the token is no signed JWT');
    const payload = await this.#payloadOf(token, algorithm, nowMs);
    if (isRejection(payload)) return payload;
    const claims = checkClaims(payload, this.#reserved, nowMs, this.#settings.clockToleranceMs);
    return isRejection(claims) ? claims : { ok: true, claims };
  }

  async #payloadOf(
    token: string,
    algorithm: string,
    nowMs: number,
  ): Promise<Record<string, unknown> | Rejection> {
    const options = {
      algorithms: [algorithm],
      clockTolerance: this.#settings.clockToleranceMs / 1000,
      currentDate: new Date(nowMs),
      requiredClaims: REQUIRED_CLAIMS,
    };
    for await (const key of this.#keysFor(token, algorithm)) {
      if (isRejection(key)) return key;
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (error) {
        // Another key may have signed it: that is what rotation is.
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) return rejectionOf(error);
      }
    }
    return reject('token_invalid', 'the signature is not by a key that is configured for this algorithm');
  }

  /** The keys that the configuration binds to this algorithm; nothing in the token adds one. */
  async *#keysFor(token: string, algorithm: string): AsyncGenerator<KeyObject | CryptoKey | Rejection> {
    yield* this.#local.get(algorithm) ?? [];
    if (this.#remote === null || !this.#settings.jwksAlgorithms.some((a) => a === algorithm)) return;
    try {
      yield await this.#remote({ ...decodeProtectedHeader(token), alg: algorithm });
    } catch (error) {
      if (error instanceof errors.JWKSMultipleMatchingKeys) yield* error;
      else if (!(error instanceof errors.JWKSNoMatchingKey))
        yield reject('unavailable', 'the keys for tokens could not be fetched');
    }
  }
}

/** The `channel` that a token claims, unverified: tells whose token it is, proves nothing. */
export function claimedChannel(token: string): unknown {
  if (token.length > MAX_TOKEN_LENGTH) return undefined;
  try {
    return decodeJwt(token).channel;
  } catch {
    // No JWT at all, as Sanctum's tokens: not ours to judge.
    return undefined;
  }
}

function algorithmIn(token: string): string | null {
  try {
    const { alg } = decodeProtectedHeader(token);
    return typeof alg === 'string' && token.split('.').length === 3 ? alg : null;
  } catch {
    return null;
  }
}

function rejectionOf(error: unknown): Rejection {
  if (error instanceof errors.JWTExpired) return expired();
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.reason === 'missing') return badClaim(error.claim, 'is missing');
    return badClaim(
      error.claim,
      error.reason === 'invalid' ? 'must be a number of seconds' : 'is not fulfilled',
    );
  }
  return reject('token_invalid', 'the token is no JWT that counts here');
}

/**
 * jose pauses between fetches only after one that succeeded; without a pause of our own each stranger's token
 * would be a request to a key server that is down.
 */
function remoteKeys(url: URL): RemoteKeys {
  let pausedUntilMs = 0;
  return createRemoteJWKSet(url, {
    timeoutDuration: JWKS_TIMEOUT_MS,
    [customFetch]: async (address, init) => {
      if (Date.now() < pausedUntilMs) throw new Error('the key set could not be fetched a moment ago');
      try {
        const response = await fetch(address, init);
        if (response.status !== 200) pausedUntilMs = Date.now() + JWKS_FAILURE_PAUSE_MS;
        return response;
      } catch (error) {
        pausedUntilMs = Date.now() + JWKS_FAILURE_PAUSE_MS;
        throw error;
      }
    },
  });
}

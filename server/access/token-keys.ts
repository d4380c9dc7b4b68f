import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';

/** The algorithms that a token may bear. Each is bound to its keys by configuration, never chosen by the token. */
type TokenAlgorithm = 'HS256' | 'RS256' | 'ES256' | 'EdDSA';
export type PublicKeyAlgorithm = Exclude<TokenAlgorithm, 'HS256'>;

/** Keys that are known at the start, by the one algorithm that each is good for. */
export type LocalKeys = ReadonlyMap<string, readonly KeyObject[]>;

/**
 * @param secrets shared secrets for HS256, each not empty; several for rotation
 * @param publicKeys PEM texts; the kind of key decides the algorithm: RSA RS256, P-256 ES256, Ed25519 EdDSA. So
 *   no public key can ever be taken for an HMAC secret.
 * @throws Error without the key's text in it, where a key cannot be used: a mistake of the configuration
 */
export function loadLocalKeys(secrets: readonly string[], publicKeys: readonly string[]): LocalKeys {
  const keys = new Map<string, KeyObject[]>();
  const add = (algorithm: TokenAlgorithm, key: KeyObject) =>
    keys.set(algorithm, [...(keys.get(algorithm) ?? []), key]);
  for (const secret of secrets) add('HS256', secretKey(secret));
  for (const [index, pem] of publicKeys.entries()) {
    const key = publicKey(pem, index);
    add(algorithmOf(key, index), key);
  }
  return keys;
}

function secretKey(secret: string): KeyObject {
  if (secret === '') throw new Error('a JWT secret must not be empty');
  return createSecretKey(secret, 'utf8');
}

function publicKey(pem: string, index: number): KeyObject {
  try {
    return createPublicKey(pem);
  } catch {
    // The cause is left out on purpose: OpenSSL's errors may quote what they were given.
    throw new Error(`JWT public key ${index + 1} is no PEM of a public key`);
  }
}

function algorithmOf(key: KeyObject, index: number): PublicKeyAlgorithm {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType === 'rsa') return 'RS256';
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA';
  if (key.asymmetricKeyType === 'ec' && curve === 'prime256v1') return 'ES256';
  throw new Error(`JWT public key ${index + 1} must be RSA, P-256 or Ed25519`);
}

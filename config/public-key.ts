import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Mistake } from './mistake.ts';
import type { Algorithm } from './sections/jwt.ts';

interface Place {
  /** Relative paths start here. */
  readonly cwd: string;
  readonly nameOf: (path: string) => string;
}

const CURVES: Partial<Record<string, Algorithm>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};
/** RFC 7518 section 3.3; jose refuses smaller ones too, but at the first token instead of at the start. */
const MIN_RSA_BITS = 2_048;

/**
 * Reads the key now, so that a wrong path is a mistake at the start and not a refusal of every token later.
 * @param given PEM text, or the path of a file that holds it
 */
export function readPublicKey(
  given: string,
  algorithms: readonly Algorithm[],
  { cwd, nameOf }: Place,
): { readonly pem: string } | Mistake {
  const isText = given.startsWith('-----BEGIN ');
  const mistake = (problem: string): Mistake => ({
    setting: nameOf('jwt.publicKey'),
    value: isText ? '(PEM text)' : given,
    problem,
  });
  let pem = given;
  try {
    if (!isText) pem = readFileSync(resolve(cwd, given), 'utf8');
  } catch (error) {
    return mistake(`cannot be read (${(error as NodeJS.ErrnoException).code}): ${EXPECTED}`);
  }
  if (pem.includes('PRIVATE KEY'))
    return mistake('is a private key: keep that one with Laravel and give its public key here');
  const fitting = fittingAlgorithms(pem);
  if (typeof fitting === 'string') return mistake(fitting);
  if (!fitting.some((algorithm) => algorithms.includes(algorithm)))
    return mistake(`is a key for ${fitting.join(', ')}, and YAMABIKO_JWT_ALGORITHMS holds none of them`);
  return { pem };
}

const EXPECTED = 'must be the path of a PEM file with a public key, or its text';

/** @returns the algorithms that a key can verify, or what is wrong with it */
function fittingAlgorithms(pem: string): readonly Algorithm[] | string {
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    return `holds no public key in PEM: ${EXPECTED}`;
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return ['EdDSA'];
  if (type === 'rsa') {
    if ((details?.modulusLength ?? 0) < MIN_RSA_BITS) return `is an RSA key below ${MIN_RSA_BITS} bits`;
    return ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
  }
  const curve = CURVES[details?.namedCurve ?? ''];
  return curve === undefined ? 'must be an RSA, EC (P-256, P-384, P-521) or Ed25519 key' : [curve];
}

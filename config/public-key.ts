import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { showText } from './kinds.ts';
import type { Mistake } from './mistake.ts';

interface Place {
  /** Relative paths start here. */
  readonly cwd: string;
  readonly nameOf: (path: string) => string;
}

/** RFC 7518 section 3.3; jose refuses smaller ones too, but at the first token instead of at the start. */
const MIN_RSA_BITS = 2_048;
const MAX_PATH_LENGTH = 250;

/**
 * Reads the key now, so that a wrong path is a mistake at the start and not a refusal of every token later.
 * @param given PEM text, or the path of a file that holds it
 */
export function readPublicKey(given: string, { cwd, nameOf }: Place): { readonly pem: string } | Mistake {
  const isText = given.startsWith('-----BEGIN ');
  const mistake = (problem: string): Mistake => ({
    setting: nameOf('jwt.publicKey'),
    // No path is that long: it may be a key without its first line.
    value: isText || given.length > MAX_PATH_LENGTH ? '(text)' : showText(given),
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
  const fault = faultOf(pem);
  if (fault !== null) return mistake(fault);
  return { pem };
}

const EXPECTED = 'must be the path of a PEM file with a public key, or its text';

function faultOf(pem: string): string | null {
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    return `holds no public key in PEM: ${EXPECTED}`;
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'rsa')
    return (details?.modulusLength ?? 0) < MIN_RSA_BITS ? `is an RSA key below ${MIN_RSA_BITS} bits` : null;
  if (type === 'ed25519' || details?.namedCurve === 'prime256v1') return null;
  return 'must be an RSA, P-256 or Ed25519 key';
}

import type { Code } from '../domain/catalogue.ts';
import { type Rejection, reject } from '../domain/outcome.ts';
import { normalTarget } from './request-target.ts';

/** A request's target, read; or why it is not served. */
export type TargetReader = (target: string | undefined) => string | Rejection;

/** @param maxBytes of the target as it was written: it is looked at in several places, and kept in none */
export function createTargetReader(maxBytes: number, refused: (code: Code) => void): TargetReader {
  return (target) => {
    // Node takes headers for Latin-1: a character is a byte.
    if (target !== undefined && target.length > maxBytes) {
      refused('too_large');
      return reject('too_large', 'the address is too long');
    }
    return normalTarget(target) ?? reject('invalid_message', 'malformed request target');
  };
}

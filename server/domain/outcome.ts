import { type ClosureCode, type Code, catalogue } from './catalogue.ts';

/** An expected no: a value with a code that a client can act on. Each protocol encodes it. */
export interface Rejection {
  readonly ok: false;
  readonly code: Code;
  /** HTTP status; the catalogue's, save where Laravel's own is passed on. */
  readonly status: number;
  readonly message: string;
  /** When the same may be tried again, in milliseconds from now; absent where nobody knows, or never. */
  readonly retryAfterMs?: number;
  /** The application's own code for it; absent where it gave none. */
  readonly reason?: string;
}

/** Ends one subscription; the connection lives on. */
export interface Revocation {
  readonly code: Code;
  readonly status: number;
  readonly message: string;
}

/** Ends the connection; its code says whether to come back. */
export interface Closure {
  readonly code: ClosureCode;
  readonly message: string;
  /** When to come back, in milliseconds from now; absent where nobody knows, or never. */
  readonly retryAfterMs?: number;
}

/** @param status overrides the catalogue's, where Laravel's own status is passed on (protocol.md section 6). */
export function reject(code: Code, message: string, status: number = catalogue[code].status): Rejection {
  return { ok: false, code, status, message };
}

/** A passing no that says when to come back. */
export function rejectFor(code: Code, message: string, retryAfterMs: number): Rejection {
  return { ...reject(code, message), retryAfterMs };
}

/** When to come back as every protocol spells it: whole seconds, not earlier than meant; nothing where nobody knows. */
export function retryAfter({ retryAfterMs }: { readonly retryAfterMs?: number }): { retry_after?: number } {
  return retryAfterMs === undefined ? {} : { retry_after: Math.max(1, Math.ceil(retryAfterMs / 1000)) };
}

export function isRejection(value: unknown): value is Rejection {
  return typeof value === 'object' && value !== null && (value as { ok?: unknown }).ok === false;
}

/** The application's own code as every protocol spells it. */
export function reasonOf({ reason }: Rejection): { reason?: string } {
  return reason === undefined ? {} : { reason };
}

/** Thrown by a broker whose Redis does not answer; the command boundary turns it into `unavailable`. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

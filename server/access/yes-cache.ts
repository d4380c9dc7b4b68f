import { createHash } from 'node:crypto';
import type { AuthYes } from './auth-answer.ts';

/** More than one node asks in a minute; beyond it the oldest go first. */
const MAX_ANSWERS = 10_000;
/** Who brings more about himself than this is asked about each time, in characters: strangers must not fill memory. */
const MAX_USER_LENGTH = 4_096;

interface Kept {
  readonly yes: AuthYes;
  readonly endsAtMs: number;
}

/**
 * Laravel's yes for a short while, for the same question to the letter: the same channel, cookie, headers, agent and
 * address. A no is never kept: who was refused may have logged in since. Questions are kept as digests, since they
 * hold cookies and tokens.
 */
export class YesCache {
  readonly #keepMs: number;
  readonly #kept = new Map<string, Kept>();

  /** @param keepMs how long an answer counts, in milliseconds; 0: none is kept */
  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  get(identity: string, nowMs: number = performance.now()): AuthYes | null {
    if (this.#keepMs === 0) return null;
    const kept = this.#kept.get(digest(identity));
    return kept === undefined || kept.endsAtMs <= nowMs ? null : kept.yes;
  }

  add(identity: string, yes: AuthYes, nowMs: number = performance.now()): void {
    if (this.#keepMs === 0 || lengthOf(yes) > MAX_USER_LENGTH) return;
    const key = digest(identity);
    // Behind all others: they end in the order in which they stand.
    this.#kept.delete(key);
    this.#kept.set(key, { yes, endsAtMs: nowMs + this.#keepMs });
    for (const [oldest, { endsAtMs }] of this.#kept) {
      if (endsAtMs > nowMs && this.#kept.size <= MAX_ANSWERS) break;
      this.#kept.delete(oldest);
    }
  }

  get size(): number {
    return this.#kept.size;
  }
}

function lengthOf({ user }: AuthYes): number {
  return user === null ? 0 : user.userIdJson.length + (user.userInfoJson?.length ?? 0);
}

function digest(identity: string): string {
  return createHash('sha256').update(identity).digest('base64');
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { EndpointAnswer } from './laravel-endpoint.ts';

/** Asked at most this often, the first time among them. */
const MAX_ATTEMPTS = 3;
/** Pause before the second attempt, in milliseconds; doubled before the third. */
const BASE_PAUSE_MS = 200;

export type AuthOutcome = (EndpointAnswer | { readonly type: 'timeout' }) & { readonly attempts: number };

/**
 * Asks until there is an answer that counts: 429, 5xx and broken connections are asked again, with pauses that
 * grow and differ, so that thousands who were refused together don't return together.
 * @param deadlineMs when all must be over, by `performance.now()`; a pause that doesn't fit is not begun
 * @returns the last answer, whatever it is
 */
export async function askWithRetries(
  ask: () => Promise<EndpointAnswer>,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<AuthOutcome> {
  for (let attempts = 1; ; attempts++) {
    if (signal.aborted) return { type: 'timeout', attempts: attempts - 1 };
    const answer = await ask();
    if (signal.aborted) return { type: 'timeout', attempts };
    const pauseMs = pauseAfter(answer, attempts);
    if (pauseMs === null || performance.now() + pauseMs >= deadlineMs) return { ...answer, attempts };
    // Rejects only because the signal ended it; the head of the loop tells so.
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

/** How long to wait before asking again, or null where the answer counts or attempts are used up. */
function pauseAfter(answer: EndpointAnswer, attempts: number): number | null {
  if (attempts >= MAX_ATTEMPTS || !isPassing(answer)) return null;
  const backoffMs = BASE_PAUSE_MS * 2 ** (attempts - 1) * (0.5 + Math.random());
  const askedMs = answer.type === 'answer' ? answer.retryAfterMs : null;
  return Math.max(backoffMs, askedMs ?? 0);
}

function isPassing(answer: EndpointAnswer): boolean {
  if (answer.type === 'network') return true;
  return answer.type === 'answer' && (answer.status === 429 || answer.status >= 500);
}

const longestSleepMs = 60_000;

/**
 * Calls back at a time of the wall clock; returns what cancels it. It looks at the clock at least once a minute:
 * a single timer would overflow beyond 24.8 days, and one that slept with the laptop would fire hours late.
 */
export function callAt(timeMs: number, callback: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const sleep = (): void => {
    const leftMs = timeMs - Date.now();
    if (leftMs <= 0) return callback();
    timer = setTimeout(sleep, Math.min(leftMs, longestSleepMs));
  };
  timer = setTimeout(sleep, Math.min(Math.max(timeMs - Date.now(), 0), longestSleepMs));
  return () => clearTimeout(timer);
}

/** How long to wait after the nth failure in a row (from 0): doubled each time, half of it by chance. */
export function backoffMs(failures: number, baseMs: number, maxMs: number): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(failures, 30));
  return full * (0.5 + Math.random() / 2);
}

/**
 * When to ask for the next token: at about 80 % of its time, at least one second before its end, and never
 * within half a second, so that a source that hands out tokens of no length is not asked without a pause.
 */
export function renewalDelayMs(leftMs: number): number {
  const share = leftMs * (0.75 + Math.random() / 10);
  return Math.max(500, Math.min(share, leftMs - 1000));
}

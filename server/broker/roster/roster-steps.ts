const AT_ONCE = 100;

/**
 * Runs a step for each item, some at a time, all of them whatever fails: what one room refuses must not keep the
 * others waiting for ever. @throws the first failure, at the end
 */
export async function forEach<T>(
  items: readonly T[],
  step: (item: T) => Promise<unknown>,
  atOnce = AT_ONCE,
): Promise<void> {
  const failures: unknown[] = [];
  for (let i = 0; i < items.length; i += atOnce) {
    const results = await Promise.allSettled(items.slice(i, i + atOnce).map(step));
    for (const result of results) if (result.status === 'rejected') failures.push(result.reason);
  }
  if (failures.length > 0) throw failures[0];
}

/** The same one after another. */
export function inTurn(steps: readonly (() => Promise<unknown>)[]): Promise<void> {
  return forEach(steps, (step) => step(), 1);
}

import { setTimeout as sleep } from 'node:timers/promises';

/** Publishes evenly over the time; what a late timer missed is made up for at once. */
export async function publishPaced(perSecond: number, seconds: number, publish: () => void): Promise<void> {
  const startMs = performance.now();
  const total = perSecond * seconds;
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - startMs) * perSecond) / 1000) + 1);
    for (; sent < due; sent++) publish();
    const nextMs = startMs + (sent * 1000) / perSecond - performance.now();
    await sleep(Math.max(1, Math.floor(nextMs)));
  }
}

import type { FrameCounter } from './frame-counter.ts';

/** Runs so many, some of them at once. */
export async function inParallel<T>(
  count: number,
  atOnce: number,
  run: (index: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const work = async () => {
    for (let i = next++; i < count; i = next++) results[i] = await run(i);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}

/** Runs with clients that are closed behind it. */
export async function withClients(
  opening: Promise<FrameCounter[]>,
  run: (clients: readonly FrameCounter[]) => Promise<void>,
): Promise<void> {
  const clients = await opening;
  try {
    await run(clients);
  } finally {
    for (const client of clients) client.close();
  }
}

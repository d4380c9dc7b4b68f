import { describe, expect, it } from 'vitest';
import { CommandQueue } from '../../../server/connection/command-queue.ts';

/** A command that ends when it is told to. */
function slow(log: string[], name: string) {
  let finish = () => {};
  const ended = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const run = async () => {
    log.push(`${name} begins`);
    await ended;
    log.push(`${name} ends`);
  };
  return { run, finish };
}
const turns = () => new Promise((resolve) => setImmediate(resolve));

describe('a queue of commands', () => {
  it('runs those of one key one after the other, and keys side by side', async () => {
    const queue = new CommandQueue(10, 100);
    const log: string[] = [];
    const [a1, a2, b] = [slow(log, 'a1'), slow(log, 'a2'), slow(log, 'b')];
    queue.run('a', 1, a1.run);
    queue.run('a', 1, a2.run);
    queue.run('b', 1, b.run);
    a2.finish();
    await turns();
    expect(log).toEqual(['a1 begins', 'b begins']);
    b.finish();
    a1.finish();
    await turns();
    expect(log).toEqual(['a1 begins', 'b begins', 'b ends', 'a1 ends', 'a2 begins', 'a2 ends']);
  });

  it('takes no more than it may hold over all keys, and takes more when one has ended', async () => {
    const queue = new CommandQueue(2, 100);
    const log: string[] = [];
    const [a, b, c] = [slow(log, 'a'), slow(log, 'b'), slow(log, 'c')];
    expect([queue.run('a', 1, a.run), queue.run('b', 1, b.run), queue.run('c', 1, c.run)]).toEqual([
      true,
      true,
      false,
    ]);
    a.finish();
    await turns();
    expect(queue.run('c', 1, c.run)).toBe(true);
    await turns();
    expect(log).toEqual(['a begins', 'b begins', 'a ends', 'c begins']);
  });

  it('takes no more bytes than it may hold, but the first command whatever its size', async () => {
    const queue = new CommandQueue(10, 100);
    const log: string[] = [];
    const [large, small, next] = [slow(log, 'large'), slow(log, 'small'), slow(log, 'next')];
    expect(queue.run('a', 1_000, large.run)).toBe(true);
    expect(queue.run('b', 1, small.run)).toBe(false);
    large.finish();
    await turns();
    expect(queue.run('a', 60, small.run)).toBe(true);
    expect(queue.run('b', 41, next.run)).toBe(false);
    expect(queue.run('b', 40, next.run)).toBe(true);
  });
});

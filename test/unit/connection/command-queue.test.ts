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
    const queue = new CommandQueue(10);
    const log: string[] = [];
    const [a1, a2, b] = [slow(log, 'a1'), slow(log, 'a2'), slow(log, 'b')];
    queue.run('a', a1.run);
    queue.run('a', a2.run);
    queue.run('b', b.run);
    a2.finish();
    await turns();
    expect(log).toEqual(['a1 begins', 'b begins']);
    b.finish();
    a1.finish();
    await turns();
    expect(log).toEqual(['a1 begins', 'b begins', 'b ends', 'a1 ends', 'a2 begins', 'a2 ends']);
  });

  it('takes no more than it may hold over all keys, and takes more when one has ended', async () => {
    const queue = new CommandQueue(2);
    const log: string[] = [];
    const [a, b, c] = [slow(log, 'a'), slow(log, 'b'), slow(log, 'c')];
    expect([queue.run('a', a.run), queue.run('b', b.run), queue.run('c', c.run)]).toEqual([
      true,
      true,
      false,
    ]);
    a.finish();
    await turns();
    expect(queue.run('c', c.run)).toBe(true);
    await turns();
    expect(log).toEqual(['a begins', 'b begins', 'a ends', 'c begins']);
  });
});

import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { RedisFollows } from '../../../../server/broker/bus/redis-follows.ts';
import { UnavailableError } from '../../../../server/domain/outcome.ts';
import { quietLog } from '../../../contract/heard.ts';

/** Answers when the test says so, in the order of asking, as one connection does. */
class SlowSubscriber {
  readonly subscribed = new Set<string>();
  readonly asked: string[] = [];
  readonly #waiting: (() => void)[] = [];

  subscribe(...names: string[]): Promise<void> {
    return this.#ask('subscribe', names, (name) => this.subscribed.add(name));
  }

  unsubscribe(...names: string[]): Promise<void> {
    return this.#ask('unsubscribe', names, (name) => this.subscribed.delete(name));
  }

  /** Answers all that was asked, and what is asked because of it. */
  async answerAll(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      next();
      await settle();
    }
  }

  /** Answers the oldest question alone. */
  async answer(): Promise<void> {
    this.#waiting.shift()?.();
    await settle();
  }

  #ask(command: string, names: string[], take: (name: string) => void): Promise<void> {
    this.asked.push(`${command} ${names.join(' ')}`);
    return new Promise((resolve) => {
      this.#waiting.push(() => {
        names.forEach(take);
        resolve();
      });
    });
  }
}

const DELAY_MS = 1000;

/** Lets every promise that can go on do so; timers are the test's. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

describe('Follows on Redis', () => {
  let subscriber: SlowSubscriber;
  let follows: RedisFollows;
  let ready: boolean;

  beforeEach(() => {
    vi.useFakeTimers();
    ready = true;
    subscriber = new SlowSubscriber();
    follows = new RedisFollows({
      subscriber: subscriber as unknown as Redis,
      log: quietLog(),
      unfollowDelayMs: DELAY_MS,
      redisNameOf: (channel) => `p:${channel}`,
      ready: () => ready,
      permanentNames: ['p:broadcast'],
    });
    return () => vi.useRealTimers();
  });

  async function delay(): Promise<void> {
    vi.advanceTimersByTime(DELAY_MS);
    await settle();
  }

  it('share one SUBSCRIBE', async () => {
    const both = Promise.all([follows.add('x'), follows.add('x')]);
    await settle();
    await subscriber.answerAll();
    await both;
    expect(subscriber.asked).toEqual(['subscribe p:x']);
  });

  it('never send an UNSUBSCRIBE while the SUBSCRIBE of that channel is under way', async () => {
    const added = follows.add('x');
    follows.remove('x');
    await delay();
    expect(subscriber.asked).toEqual(['subscribe p:x']);
    await subscriber.answer();
    await added;
    expect(subscriber.asked).toEqual(['subscribe p:x', 'unsubscribe p:x']);
    // Redis has not answered, but the channel counts as gone: who comes now needs a SUBSCRIBE of his own.
    const again = follows.add('x');
    await subscriber.answerAll();
    await again;
    expect(subscriber.subscribed).toContain('p:x');
    expect(follows.channelOf('p:x')).toBe('x');
  });

  it('leave nothing subscribed when somebody comes and goes during an UNSUBSCRIBE', async () => {
    const first = follows.add('x');
    await settle();
    await subscriber.answerAll();
    await first;
    follows.remove('x');
    await delay();
    const second = follows.add('x');
    follows.remove('x');
    await subscriber.answerAll();
    await second;
    await delay();
    await subscriber.answerAll();
    expect(subscriber.subscribed).toEqual(new Set());
    expect(follows.channelOf('p:x')).toBeUndefined();
  });

  it('keep what the bus itself needs', async () => {
    const added = follows.add('broadcast');
    await settle();
    await subscriber.answerAll();
    await added;
    follows.remove('broadcast');
    await delay();
    expect(subscriber.asked).toEqual(['subscribe p:broadcast']);
  });

  it('do not unsubscribe a channel that came back within the delay', async () => {
    const added = follows.add('x');
    await settle();
    await subscriber.answerAll();
    await added;
    follows.remove('x');
    await follows.add('x');
    await delay();
    expect(subscriber.asked).toEqual(['subscribe p:x']);
  });

  it('are subscribed anew after an outage, without those that nobody follows any more', async () => {
    for (const channel of ['stays', 'goes']) {
      const added = follows.add(channel);
      await settle();
      await subscriber.answerAll();
      await added;
    }
    ready = false;
    follows.forgetSubscriptions();
    follows.remove('goes');
    await delay();
    await expect(follows.add('new')).rejects.toThrow(UnavailableError);
    const done = follows.resubscribe();
    await subscriber.answerAll();
    await done;
    expect(subscriber.asked.at(-1)).toBe('subscribe p:broadcast p:stays');
    ready = true;
    await follows.add('stays');
    expect(subscriber.asked).toHaveLength(3);
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RedisRoom } from '../../server/broker/roster/redis-room.ts';
import { RosterDates } from '../../server/broker/roster/roster-dates.ts';
import { UnavailableError } from '../../server/domain/outcome.ts';
import { RedisServer } from '../support/redis-server.ts';
import { until } from './heard.ts';
import { RedisNode } from './redis-node.ts';

/** Far enough that no timer comes before the test. */
const LATER_MS = 300_000;

describe('The dates of those who linger', () => {
  let redis: RedisServer;
  let node: RedisNode;
  let dates: RosterDates;
  let key: string;
  let looked: string[];
  let onLook: (room: string) => Promise<number | null>;

  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis.stop());
  beforeEach(async () => {
    const prefix = `${randomUUID()}:`;
    key = `${prefix}yamabiko:lingering`;
    // It opens the connections; its own upkeep looks at no date, since it does not start.
    node = new RedisNode({ url: redis.url, prefix, commandTimeoutMs: 15_000 });
    await node.bus.start();
    looked = [];
    onLook = async () => null;
    dates = new RosterDates({
      connections: node.connections,
      room: (name) =>
        ({
          sweep: async () => {
            looked.push(name);
            return onLook(name);
          },
        }) as unknown as RedisRoom,
      onFailure: (err) => {
        throw err;
      },
    });
  });
  afterEach(async () => {
    dates.stop();
    await node.bus.stop();
  });

  const schedule = (room: string, delayMs: number) =>
    node.connections.call((command) => dates.schedule(command as never, room, delayMs));
  const date = async (room: string) => Number(await redis.client.zscore(key, room));

  it('are looked at when they are over, and then forgotten', async () => {
    await redis.client.zadd(key, '1', 'over');
    await schedule('later', LATER_MS);
    await dates.sweep();
    expect(looked).toEqual(['over']);
    expect(await redis.client.zrange(key, 0, '-1')).toEqual(['later']);
  });

  it('stay the earliest of a room', async () => {
    await schedule('room', LATER_MS);
    const first = await date('room');
    await schedule('room', LATER_MS + 60_000);
    expect(await date('room')).toBe(first);
    await schedule('room', LATER_MS - 60_000);
    expect(await date('room')).toBeLessThan(first);
  });

  it('are not lost where somebody begins to linger while the room is looked at', async () => {
    await redis.client.zadd(key, '1', 'room');
    // The look has found nobody, and he comes right behind it.
    onLook = async () => {
      await schedule('room', LATER_MS);
      return null;
    };
    await dates.sweep();
    expect(await date('room')).toBeGreaterThan(1);
  });

  it('are set anew for who lingers on in a room that was looked at', async () => {
    await redis.client.zadd(key, '1', 'room');
    onLook = async () => (looked.length === 1 ? 50 : null);
    await dates.sweep();
    await until(() => looked.length === 2, 'looked at again, by the timer');
    await until(async () => (await redis.client.exists(key)) === 0, 'no dates');
  });

  it('of a room that is refused stay, and the others are looked at', async () => {
    await redis.client.zadd(key, '1', 'refused', '2', 'room');
    onLook = async (room) => {
      if (room === 'refused') throw new Error('refused');
      return null;
    };
    await expect(dates.sweep()).rejects.toThrow(UnavailableError);
    expect(await redis.client.zrange(key, 0, '-1')).toEqual(['refused']);
  });
});

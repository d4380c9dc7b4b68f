import { createHash, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RedisServer } from '../support/redis-server.ts';
import { until } from './heard.ts';
import { RedisNode } from './redis-node.ts';
import { announcements, seat, story, users } from './roster-behaviour.ts';

/** The keys of a room, as server/broker/roster-scripts.ts lists them. */
const ROOM_KEYS = ['seats', 'users', 'counts', 'revision', 'lingering'] as const;
type RoomKey = (typeof ROOM_KEYS)[number];

describe('The Redis roster, where something else has written into its keys,', () => {
  let redis: RedisServer;
  let prefix: string;
  let nodes: RedisNode[];
  let at: RedisNode;
  let other: RedisNode;

  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis.stop());
  beforeEach(async () => {
    prefix = `${randomUUID()}:`;
    nodes = [];
    at = await node();
    other = await node();
    await at.roster.enter('room', seat('a', 1));
    await other.roster.enter('room', seat('b', 2));
  });
  afterEach(async () => {
    for (const made of nodes) await made.stop();
  });

  async function node(nodeTtlMs = 600): Promise<RedisNode> {
    // Nothing fails here but what the test does: a busy machine must not look like an outage.
    const made = new RedisNode({ url: redis.url, prefix, nodeTtlMs, commandTimeoutMs: 15_000 });
    nodes.push(made);
    await made.start();
    await made.bus.follow('room');
    return made;
  }

  function key(part: RoomKey): string {
    const tag = createHash('sha256').update('room').digest('base64url').slice(0, 27);
    return `${prefix}yamabiko:room:{${tag}}:${part}`;
  }

  async function healed(): Promise<void> {
    for (const made of [at, other])
      await until(
        async () => users(await made.roster.members('room')).join() === '1,2',
        'both users are there again',
      );
    // The seats are in order too: each leaves once, and nothing stays.
    await at.roster.leave('room', 'a');
    await other.roster.leave('room', 'b');
    await until(async () => users(await at.roster.members('room')).length === 0, 'nobody is there');
    expect(story(at.heard, 'room').slice(-2)).toEqual(['left 1', 'left 2']);
    for (const part of ['seats', 'users', 'counts', 'lingering'] as const)
      expect(await redis.client.exists(key(part)), part).toBe(0);
  }

  it.each(ROOM_KEYS)(
    'empties a room whose %s are of another type, and enters its own again',
    async (part) => {
      await redis.client.del(key(part));
      await redis.client.rpush(key(part), 'garbage');
      await at.roster.enter('room', seat('c', 1));
      await at.roster.leave('room', 'c');
      await healed();
      expect(at.faults).toContain('room_keys');
      expect(at.log.lines).toContainEqual(
        expect.objectContaining({
          level: 'warn',
          fields: expect.objectContaining({ room: 'room', fault: 'room_keys' }),
        }),
      );
    },
  );

  it('enters at once again what it had to empty', async () => {
    const slow = await node(3_600_000);
    await slow.bus.follow('else');
    await slow.roster.enter('else', seat('c', 3));
    const tag = createHash('sha256').update('else').digest('base64url').slice(0, 27);
    await redis.client.set(`${prefix}yamabiko:room:{${tag}}:seats`, 'garbage');
    await at.roster.members('else');
    await slow.roster.enter('else', seat('d', 4));
    await until(async () => users(await at.roster.members('else')).join() === '3,4', 'both are there');
    await slow.roster.leave('else', 'c');
    await slow.roster.leave('else', 'd');
    expect((await at.roster.members('else')).members).toEqual([]);
  });

  it('enters again what was evicted, though nothing tells', async () => {
    await redis.client.del(...ROOM_KEYS.map(key));
    await healed();
    expect(at.restored + other.restored).toBe(0);
  });

  it('shows no member that is none, and puts the one with a seat in its place', async () => {
    await redis.client.hset(key('users'), '1', '{"user_id":', 'ghost', 'not JSON', '{}', '[]');
    expect(users(await other.roster.members('room'))).toEqual(['2']);
    expect(other.faults).toContain('member');
    await healed();
  });

  it('takes out members and counts that no seat stands for', async () => {
    await redis.client.hset(key('users'), '77', seat('x', 77).member.json);
    await redis.client.hset(key('counts'), '1', '5', '2', 'many', '99', '1');
    await until(async () => users(await at.roster.members('room')).join() === '1,2', 'user 77 is gone');
    await until(async () => (await redis.client.hget(key('counts'), '1')) === '1', 'counted again');
    await healed();
  });

  it('takes out seats that name no node, at once, and those of an unknown node after a lease', async () => {
    await redis.client.hset(key('seats'), 'garbage', '1', 'gone|0|seat', '66', '|', '1');
    await redis.client.hset(key('users'), '66', seat('x', 66).member.json);
    await redis.client.hset(key('counts'), '66', '1');
    await until(() => story(at.heard, 'room').includes('left 66'), 'user 66 has left');
    expect(story(at.heard, 'room').filter((line) => line === 'left 66')).toHaveLength(1);
    expect([...at.faults, ...other.faults]).toContain('stray_seats');
    await healed();
    await until(async () => (await redis.client.keys(`${prefix}*gone*`)).length === 0, 'nothing of it stays');
  });

  it.each(['abc', '-5', '9e99', 'nan', '9007199254740993'])(
    'takes %s for no revision: the next ones grow, and are numbers',
    async (garbage) => {
      const before = (await at.roster.members('room')).revision;
      await redis.client.set(key('revision'), garbage);
      const { revision } = await other.roster.enter('room', seat('c', 3));
      expect(revision).toBeGreaterThan(before);
      expect(Number.isSafeInteger(revision)).toBe(true);
      await other.roster.leave('room', 'c');
      await until(() => story(at.heard, 'room').includes('left 3'), 'user 3 has left');
      const revisions = announcements(at.heard, 'room').map((a) => a.revision);
      expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
    },
  );

  it.each(['nodes', 'lingering'])('goes on when its list of %s is of another type', async (list) => {
    await redis.client.set(`${prefix}yamabiko:${list}`, 'garbage');
    const { length } = at.log.lines;
    await until(async () => (await redis.client.type(`${prefix}yamabiko:nodes`)) === 'zset', 'leases again');
    const known = () => redis.client.zcard(`${prefix}yamabiko:nodes`);
    await until(async () => (await known()) >= 2, 'both nodes are known');
    await healed();
    expect(at.log.lines.slice(length).filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('goes on when the list of its own rooms is of another type', async () => {
    const rooms = `${prefix}yamabiko:node:${at.nodeId}|0:rooms`;
    await redis.client.del(rooms);
    await redis.client.set(rooms, 'garbage');
    expect(users(await at.roster.enter('room', seat('c', 3)))).toEqual(['1', '2', '3']);
    expect(await redis.client.smembers(rooms)).toEqual(['room']);
  });

  it('gives up the seats of who entered right after a FLUSHALL and crashed before it noticed', async () => {
    const slow = await node(60_000);
    await redis.client.flushall();
    // Its next round is far away, and nothing has told it.
    const entered = slow.roster.enter('room', seat('c', 3));
    await until(() => story(at.heard, 'room').includes('joined 3'), 'user 3 is there');
    slow.connections.close();
    await entered.catch(() => {});
    const leases = await redis.client.zrange(`${prefix}yamabiko:nodes`, 0, '-1');
    const own = leases.filter((name) => name.startsWith(slow.nodeId));
    expect(own).not.toEqual([]);
    // A lease later, told by Redis's clock.
    for (const name of own) await redis.client.zadd(`${prefix}yamabiko:nodes`, 1, name);
    await until(() => story(at.heard, 'room').includes('left 3'), 'user 3 has left');
    await healed();
  });

  it('lets who leaves while it takes a new lease go, whatever his seat was named', async () => {
    const slow = await node(3_600_000);
    await slow.roster.enter('room', seat('c', 3));
    const { warn } = slow.log;
    const left = new Promise<void>((resolve) => {
      slow.log.warn = (fields, message) => {
        warn(fields, message);
        // It names its seats by the new lease as soon as it has said so.
        queueMicrotask(() => resolve(slow.roster.leave('room', 'c')));
      };
    });
    await redis.client.zrem(`${prefix}yamabiko:nodes`, `${slow.nodeId}|0`);
    await slow.roster.enter('else', seat('d', 4));
    await left;
    await until(() => slow.restored === 1, 'restored');
    await until(() => story(at.heard, 'room').includes('left 3'), 'user 3 has left');
    await slow.roster.leave('else', 'd');
    await healed();
  });

  it('knows from its first enter that it was lost by a FLUSHALL, and enters the others again', async () => {
    const slow = await node(60_000);
    await slow.roster.enter('room', seat('c', 3));
    await slow.roster.enter('room', seat('d', 4));
    await redis.client.flushall();
    await slow.roster.enter('room', seat('e', 5));
    await until(() => slow.restored === 1, 'restored');
    expect(users(await slow.roster.members('room'))).toEqual(expect.arrayContaining(['3', '4', '5']));
    for (const id of ['c', 'd', 'e']) await slow.roster.leave('room', id);
    await healed();
  });
});

import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { RedisServer } from '../support/redis-server.ts';
import { until } from './heard.ts';
import { type NodeOptions, RedisNode } from './redis-node.ts';
import { seat, story, users } from './roster-behaviour.ts';

const LINGER = { linger: true };

describe('The Redis roster, with a grace, over nodes that come and go,', () => {
  const ended: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0).reverse()) await end();
  });

  async function server(): Promise<RedisServer> {
    const redis = await RedisServer.start();
    ended.push(() => redis.stop());
    return redis;
  }

  const PREFIX = `${randomUUID()}:`;

  async function node(redis: RedisServer, options: Partial<NodeOptions>): Promise<RedisNode> {
    const made = new RedisNode({ url: redis.url, prefix: PREFIX, commandTimeoutMs: 15_000, ...options });
    ended.push(() => made.stop());
    await made.start();
    await made.bus.follow('room');
    return made;
  }

  async function fence(at: RedisNode): Promise<void> {
    const count = at.heard.on('broadcast').length;
    await at.bus.publish('broadcast', 'fence');
    await at.heard.payloads('broadcast', count + 1);
  }

  /** Its connections end, and nothing of it runs any more: what others see of a crash. */
  function crash(at: RedisNode): void {
    at.connections.close();
  }

  it('announces who left on time by itself: its rounds are far apart', async () => {
    const redis = await server();
    const at = await node(redis, { graceMs: 300, nodeTtlMs: 3_600_000 });
    for (const [id, user] of [
      ['a', 1],
      ['b', 2],
    ] as const)
      await at.roster.enter('room', seat(id, user));
    await at.roster.leave('room', 'a', LINGER);
    await until(() => story(at.heard, 'room').includes('left 1'), 'user 1 has left');
    await at.roster.leave('room', 'b', LINGER);
    await until(() => story(at.heard, 'room').includes('left 2'), 'user 2 has left');
  });

  it('announces who left from a node that has died since, once, whichever node comes first', async () => {
    const redis = await server();
    // Its own timer and its lease would come much later.
    const dead = await node(redis, { graceMs: 400, nodeTtlMs: 60_000 });
    const watchers = [
      await node(redis, { graceMs: 400, nodeTtlMs: 450 }),
      await node(redis, { graceMs: 400, nodeTtlMs: 450 }),
    ] as const;
    await watchers[0].roster.enter('room', seat('stays', 2));
    await dead.roster.enter('room', seat('a', 1));
    await dead.roster.leave('room', 'a', LINGER);
    crash(dead);
    await until(() => story(watchers[0].heard, 'room').includes('left 1'), 'user 1 has left');
    await fence(watchers[0]);
    expect(story(watchers[0].heard, 'room')).toEqual(['joined 2', 'joined 1', 'left 1']);
    expect(users(await watchers[1].roster.members('room'))).toEqual(['2']);
  });

  it('lets the members of a dead node linger, and announces only those who do not come back', async () => {
    const redis = await server();
    const watcher = await node(redis, { graceMs: 900, nodeTtlMs: 600 });
    const dead = await node(redis, { graceMs: 900, nodeTtlMs: 300 });
    await dead.roster.enter('room', seat('a', 1));
    await dead.roster.enter('room', seat('b', 2));
    crash(dead);
    await until(
      async () => !(await redis.client.keys(`${PREFIX}*`)).some((key) => key.includes(dead.nodeId)),
      'its seats were given up',
    );
    await watcher.roster.enter('room', seat('c', 1));
    await until(() => story(watcher.heard, 'room').includes('left 2'), 'user 2 has left');
    await fence(watcher);
    expect(story(watcher.heard, 'room')).toEqual(['joined 1', 'joined 2', 'left 2']);
  });

  it('lets the members of a node that stops linger: who is back elsewhere was never gone', async () => {
    const redis = await server();
    const watcher = await node(redis, { graceMs: 900, nodeTtlMs: 600 });
    const stopping = await node(redis, { graceMs: 900, nodeTtlMs: 600 });
    await stopping.roster.enter('room', seat('a', 1));
    await stopping.roster.enter('room', seat('b', 2));
    await stopping.stop();
    expect(users(await watcher.roster.members('room'))).toEqual(['1', '2']);
    await watcher.roster.enter('room', seat('c', 1));
    await until(() => story(watcher.heard, 'room').includes('left 2'), 'user 2 has left');
    await fence(watcher);
    expect(story(watcher.heard, 'room')).toEqual(['joined 1', 'joined 2', 'left 2']);
  });

  it('leaves who thaws within it as if he had never been away', async () => {
    const redis = await server();
    const watcher = await node(redis, { graceMs: 5_000, nodeTtlMs: 300 });
    const frozen = await node(redis, { graceMs: 5_000, nodeTtlMs: 3_000 });
    await frozen.roster.enter('room', seat('a', 1));
    // Another node's view of a freeze: the lease ended and was cleared away.
    await redis.client.zadd(`${PREFIX}yamabiko:nodes`, 1, `${frozen.nodeId}|0`);
    await until(() => frozen.restored === 1, 'restored');
    await fence(watcher);
    expect(story(watcher.heard, 'room')).toEqual(['joined 1']);
    await frozen.roster.leave('room', 'a');
    await fence(watcher);
    expect(story(watcher.heard, 'room')).toEqual(['joined 1', 'left 1']);
  });

  it.each([
    ['forward', '2099-01-01'],
    ['back', '1999-01-01'],
  ])("goes by Redis's clock when a node's own jumps %s", async (_way, date) => {
    const redis = await server();
    const jumping = await node(redis, { graceMs: 400, nodeTtlMs: 600 });
    const other = await node(redis, { graceMs: 400, nodeTtlMs: 600 });
    await jumping.roster.enter('room', seat('stays', 1));
    vi.useFakeTimers({ toFake: ['Date'], now: new Date(date) });
    ended.push(async () => void vi.useRealTimers());
    await jumping.roster.enter('room', seat('a', 2));
    await jumping.roster.leave('room', 'a', LINGER);
    await other.roster.enter('room', seat('b', 3));
    await until(() => story(other.heard, 'room').includes('left 2'), 'user 2 has left');
    await other.roster.leave('room', 'b');
    const first = await redis.client.zscore(`${PREFIX}yamabiko:nodes`, `${jumping.nodeId}|0`);
    await until(
      async () =>
        Number(await redis.client.zscore(`${PREFIX}yamabiko:nodes`, `${jumping.nodeId}|0`)) >
        Number(first) + 1_500,
      'some leases later',
    );
    await fence(other);
    expect(story(other.heard, 'room')).toEqual(['joined 1', 'joined 2', 'joined 3', 'left 2', 'left 3']);
    expect(jumping.restored).toBe(0);
  });

  it('ends the grace of nodes that have one on a node that has none', async () => {
    const redis = await server();
    const without = await node(redis, { graceMs: 0, nodeTtlMs: 300 });
    const lingering = await node(redis, { graceMs: 300, nodeTtlMs: 60_000 });
    await lingering.roster.enter('room', seat('a', 1));
    await lingering.roster.leave('room', 'a', LINGER);
    crash(lingering);
    await until(() => story(without.heard, 'room').includes('left 1'), 'user 1 has left');
  });

  it('never shows who is over his time, though nobody came to announce him', async () => {
    const redis = await server();
    const at = await node(redis, { graceMs: 300, nodeTtlMs: 60_000 });
    await at.roster.enter('room', seat('a', 1));
    await at.roster.leave('room', 'a', LINGER);
    // The list of dates is lost; and the room is asked for when nothing else looks at it.
    await redis.client.del(`${PREFIX}yamabiko:lingering`);
    await until(async () => users(await at.roster.members('room')).length === 0, 'nobody is there');
    await fence(at);
    expect(story(at.heard, 'room')).toEqual(['joined 1', 'left 1']);
  });

  it('dates him again, where the list of dates is lost', async () => {
    const redis = await server();
    const at = await node(redis, { graceMs: 900, nodeTtlMs: 300 });
    await at.roster.enter('room', seat('stays', 2));
    await at.roster.enter('room', seat('a', 1));
    await at.roster.leave('room', 'a', LINGER);
    await redis.client.del(`${PREFIX}yamabiko:lingering`);
    await until(
      async () => (await redis.client.zcard(`${PREFIX}yamabiko:lingering`)) === 1,
      'there is a date',
    );
    await until(() => story(at.heard, 'room').includes('left 1'), 'user 1 has left');
  });

  it('looks into rooms of names that are none of ours, and goes on', async () => {
    const redis = await server();
    const at = await node(redis, { graceMs: 200, nodeTtlMs: 300 });
    for (let i = 0; i < 450; i++) await redis.client.zadd(`${PREFIX}yamabiko:lingering`, i, `{garbage ${i}`);
    await at.roster.enter('room', seat('a', 1));
    await at.roster.leave('room', 'a', LINGER);
    await until(() => story(at.heard, 'room').includes('left 1'), 'user 1 has left');
    await until(async () => (await redis.client.exists(`${PREFIX}yamabiko:lingering`)) === 0, 'no dates');
  });

  it('leaves nothing behind but revisions when those who lingered are gone', async () => {
    const redis = await server();
    const at = await node(redis, { graceMs: 100, nodeTtlMs: 600 });
    for (let i = 0; i < 5; i++) await at.roster.enter(`room${i}`, seat('a', 1));
    for (let i = 0; i < 5; i++) await at.roster.leave(`room${i}`, 'a', LINGER);
    await until(async () => {
      const left = (await redis.client.keys(`${PREFIX}*`)).filter((key) => !key.endsWith(':revision'));
      return left.join() === `${PREFIX}yamabiko:nodes`;
    }, 'only the lease is left');
  });
});

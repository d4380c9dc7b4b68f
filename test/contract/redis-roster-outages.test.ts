import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { RedisRefusedError } from '../../server/broker/redis/redis-refused.ts';
import { RosterLease } from '../../server/broker/roster/roster-lease.ts';
import { UnavailableError } from '../../server/domain/outcome.ts';
import { RedisServer } from '../support/redis-server.ts';
import { Heard, until } from './heard.ts';
import { namedRights } from './named-rights.ts';
import { type NodeOptions, RedisNode } from './redis-node.ts';
import { announcements, seat, story, users } from './roster-behaviour.ts';

describe('The Redis roster', () => {
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

  /** A node whose roster is put right whenever its bus comes back, as resync-after-outage does it. */
  async function node(redis: RedisServer, options: Partial<NodeOptions> = {}): Promise<RedisNode> {
    const heard = new RestoringHeard();
    const made = new RedisNode({ url: redis.url, prefix: PREFIX, heard, ...options });
    heard.restore = () => made.roster.restore();
    ended.push(() => made.stop());
    await made.start();
    await made.bus.follow('room').catch(() => {});
    return made;
  }

  async function fence(at: RedisNode): Promise<void> {
    const count = at.heard.on('broadcast').length;
    await at.bus.publish('broadcast', 'fence');
    await at.heard.payloads('broadcast', count + 1);
  }

  async function keys(redis: RedisServer): Promise<string[]> {
    return (await redis.client.keys(`${PREFIX}*`)).map((key) => key.slice(PREFIX.length));
  }

  it("gives up a dead node's seats once, whichever node comes first", async () => {
    const redis = await server();
    const watcher = await node(redis, { nodeTtlMs: 3000 });
    const second = await node(redis, { nodeTtlMs: 3000 });
    const dead = await node(redis, { nodeTtlMs: 300 });
    await second.roster.enter('room', seat('stays', 1));
    await dead.roster.enter('room', seat('a', 1));
    await dead.roster.enter('room', seat('b', 2));
    await dead.roster.enter('room', seat('c', 2));
    await dead.roster.enter('other', seat('d', 3));
    crash(dead);
    await until(() => story(watcher.heard, 'room').includes('left 2'), 'user 2 has left');
    await until(async () => users(await watcher.roster.members('other')).length === 0, 'other is empty');
    await until(async () => !(await keys(redis)).some((key) => key.includes(dead.nodeId)), 'node forgotten');
    await fence(watcher);
    expect(story(watcher.heard, 'room')).toEqual(['joined 1', 'joined 2', 'left 2']);
    expect(users(await watcher.roster.members('room'))).toEqual(['1']);
  });

  it('keeps the seats of a node that lives, over many leases', async () => {
    const redis = await server();
    const at = await node(redis, { nodeTtlMs: 900 });
    const watcher = await node(redis, { nodeTtlMs: 900 });
    await at.roster.enter('room', seat('a', 1));
    const first = await leaseEnd(redis, at);
    await until(async () => (await leaseEnd(redis, at)) > first + 2000, 'some leases later');
    expect(story(watcher.heard, 'room')).toEqual(['joined 1']);
    expect(at.restored).toBe(0);
  });

  it('enters everybody again after FLUSHALL, within one lease, with growing revisions', async () => {
    const redis = await server();
    const at = await node(redis, { nodeTtlMs: 1500 });
    const other = await node(redis, { nodeTtlMs: 1500 });
    await at.roster.enter('room', seat('a', 1));
    await at.roster.enter('room', seat('b', 2));
    await other.roster.enter('room', seat('c', 2));
    await redis.client.flushall();
    await until(() => at.restored === 1 && other.restored === 1, 'both restored');
    expect(users(await at.roster.members('room'))).toEqual(['1', '2']);
    await fence(at);
    const told = announcements(at.heard, 'room');
    expect(told.map((a) => a.revision)).toEqual(told.map((a) => a.revision).sort((a, b) => a - b));
    expect(new Set(told.map((a) => a.revision)).size).toBe(told.length);
    expect(told.every((a) => a.type === 'joined')).toBe(true);
    // The seats are still two: one leaves, and user 2 stays.
    await at.roster.leave('room', 'b');
    expect(users(await at.roster.members('room'))).toEqual(['1', '2']);
    await other.roster.leave('room', 'c');
    expect(users(await at.roster.members('room'))).toEqual(['1']);
  });

  it('enters everybody again when Redis crashed and came back empty', async () => {
    const redis = await server();
    const at = await node(redis);
    await at.roster.enter('room', seat('a', 1));
    await at.roster.enter('other', seat('b', 2));
    await redis.kill();
    await until(() => !at.bus.ready(), 'not ready');
    await expect(at.roster.enter('room', seat('x', 9))).rejects.toThrow(UnavailableError);
    await expect(at.roster.members('room')).rejects.toThrow(UnavailableError);
    await redis.restart();
    await until(() => at.restored === 1, 'restored');
    expect(users(await at.roster.members('room'))).toEqual(['1']);
    expect(users(await at.roster.members('other'))).toEqual(['2']);
    expect(at.roster.seatCount()).toBe(2);
  });

  it('makes up for who left while Redis was frozen, and announces it then', async () => {
    const redis = await server();
    const at = await node(redis);
    await at.roster.enter('room', seat('a', 1));
    await at.roster.enter('room', seat('b', 2));
    redis.pause();
    await until(() => !at.bus.ready(), 'not ready');
    await at.roster.leave('room', 'a');
    expect(at.roster.seatCount()).toBe(1);
    redis.resume();
    await until(() => story(at.heard, 'room').includes('left 1'), 'user 1 has left');
    expect(users(await at.roster.members('room'))).toEqual(['2']);
    expect(at.restored).toBe(0);
  });

  it('makes up for a leaving that failed by itself, without being told to restore', async () => {
    const redis = await server();
    const at = await node(redis, { nodeTtlMs: 1500, heard: new Heard() });
    await at.roster.enter('room', seat('a', 1));
    redis.pause();
    await until(() => !at.bus.ready(), 'not ready');
    await at.roster.leave('room', 'a');
    redis.resume();
    await until(() => story(at.heard, 'room').includes('left 1'), 'user 1 has left');
    expect(users(await at.roster.members('room'))).toEqual([]);
  });

  it('removes a seat whose enter timed out but took effect, and was undone', async () => {
    const redis = await server();
    const at = await node(redis);
    redis.pause();
    // Sent before anybody knows: Redis takes it when it goes on.
    const entered = at.roster.enter('room', seat('ghost', 7));
    await expect(entered).rejects.toThrow(UnavailableError);
    await at.roster.leave('room', 'ghost');
    redis.resume();
    await until(() => at.bus.ready(), 'ready again');
    await until(async () => users(await at.roster.members('room')).length === 0, 'no ghost');
    expect(at.roster.seatCount()).toBe(0);
  });

  it('puts right what the store lost of one room or holds too much', async () => {
    const redis = await server();
    const at = await node(redis);
    await at.roster.enter('room', seat('a', 1));
    await at.roster.enter('other', seat('b', 2));
    const lost = (await keys(redis)).filter((key) => key.startsWith('yamabiko:room:'));
    await redis.client.del(...lost.map((key) => PREFIX + key));
    await at.roster.restore();
    expect(users(await at.roster.members('room'))).toEqual(['1']);
    expect(users(await at.roster.members('other'))).toEqual(['2']);
  });

  it('comes back from a freeze past its lease: seats gone meanwhile are entered again', async () => {
    const redis = await server();
    const watcher = await node(redis, { nodeTtlMs: 300 });
    const frozen = await node(redis, { nodeTtlMs: 900 });
    await frozen.roster.enter('room', seat('a', 1));
    // Another node's view of a freeze: the lease ended and was cleared away.
    await redis.client.zadd(`${PREFIX}yamabiko:nodes`, 1, `${frozen.nodeId}|0`);
    await until(() => frozen.restored === 1, 'restored');
    await until(async () => users(await watcher.roster.members('room')).length === 1, 'back');
    await until(
      async () => !(await keys(redis)).includes(`yamabiko:node:${frozen.nodeId}|0:rooms`),
      'cleared',
    );
    expect(users(await watcher.roster.members('room'))).toEqual(['1']);
    await frozen.roster.leave('room', 'a');
    await until(() => story(watcher.heard, 'room').at(-1) === 'left 1', 'left');
    expect(users(await watcher.roster.members('room'))).toEqual([]);
  });

  // The chaos run found it: the first node that a paused Redis answered gave up the seats of all others.
  it('leaves others the time to come back when Redis stood still for longer than their leases', async () => {
    const redis = await server();
    const watcher = await node(redis, { nodeTtlMs: 900 });
    const late = await node(redis, { nodeTtlMs: 900 });
    const dead = await node(redis, { nodeTtlMs: 900 });
    await late.roster.enter('room', seat('a', 1));
    await dead.roster.enter('room', seat('b', 2));
    await fence(watcher);
    crash(dead);
    redis.pause();
    await until(() => !watcher.bus.ready() && !late.bus.ready(), 'both know');
    await sleep(900);
    // It has to connect again, so that the watcher is the first to be answered.
    late.connections.command.disconnect(true);
    redis.resume();
    await until(() => story(watcher.heard, 'room').includes('left 2'), 'the dead one has left');
    await until(() => late.restored === 1, 'the other is back');
    await fence(watcher);
    expect(story(watcher.heard, 'room')).toEqual(['joined 1', 'joined 2', 'left 2']);
    expect(users(await watcher.roster.members('room'))).toEqual(['1']);
  });

  it('puts right, on restore, whoever entered before it knew of a FLUSHALL', async () => {
    const redis = await server();
    const at = await node(redis, { nodeTtlMs: 60_000 });
    await redis.client.flushall();
    // Nothing has told it yet: it enters under a lease that nobody knows, and puts that right on restore.
    await at.roster.enter('room', seat('a', 1));
    await at.roster.restore();
    expect(at.restored).toBe(1);
    expect(users(await at.roster.members('room'))).toEqual(['1']);
    expect(story(at.heard, 'room')).toEqual(['joined 1']);
    expect((await keys(redis)).filter((key) => key.includes(`${at.nodeId}|1`))).toHaveLength(1);
  });

  it('takes a new lease before it enters, when its own may have ended in an outage', async () => {
    const redis = await server();
    const at = await node(redis, { nodeTtlMs: 600 });
    const pausedAt = performance.now();
    redis.pause();
    await until(() => performance.now() - pausedAt > 700, 'its lease is over');
    await until(() => !at.bus.ready(), 'not ready');
    redis.resume();
    await until(() => at.bus.ready(), 'ready again');
    await at.roster.enter('room', seat('a', 1));
    const watcher = await node(redis, { nodeTtlMs: 600 });
    await until(async () => !(await keys(redis)).includes(`yamabiko:node:${at.nodeId}|0:rooms`), 'cleared');
    expect(users(await watcher.roster.members('room'))).toEqual(['1']);
    expect((await keys(redis)).some((key) => key.startsWith(`yamabiko:node:${at.nodeId}|1`))).toBe(true);
  });

  it('takes its lease with the first seat, if it had none: a seat without one would never go', async () => {
    const redis = await server();
    const at = new RedisNode({ url: redis.url, prefix: PREFIX });
    ended.push(() => at.bus.stop());
    await at.bus.start();
    await at.roster.enter('room', seat('a', 1));
    expect(await leaseEnd(redis, at)).toBeGreaterThan(0);
    await at.roster.stop();
  });

  it('leaves nothing behind but revisions when all have left', async () => {
    const redis = await server();
    const at = await node(redis);
    for (let i = 0; i < 5; i++) await at.roster.enter(`room${i}`, seat('a', 1));
    for (let i = 0; i < 5; i++) await at.roster.leave(`room${i}`, 'a');
    await at.stop();
    const left = await keys(redis);
    expect(left.filter((key) => !key.endsWith(':revision'))).toEqual([]);
    for (const key of left) expect(await redis.client.ttl(PREFIX + key)).toBeGreaterThan(0);
  });

  // The chaos run found it: frozen while it entered a room, a node wrote its list after the others had forgotten it.
  it('leaves no list of rooms for ever, whoever writes it after the lease was cleared away', async () => {
    const redis = await server();
    const watcher = await node(redis, { nodeTtlMs: 900 });
    const frozen = await node(redis, { nodeTtlMs: 900 });
    await frozen.roster.enter('room', seat('a', 1));
    const list = `${PREFIX}yamabiko:node:${frozen.nodeId}|0:rooms`;
    expect(await redis.client.smembers(list)).toEqual(['room']);
    crash(frozen);
    await until(async () => users(await watcher.roster.members('room')).length === 0, 'given up');
    await until(async () => (await redis.client.exists(list)) === 0, 'forgotten');
    const thawed = new RosterLease(watcher.connections, frozen.nodeId, 900);
    await thawed.list(watcher.connections.store, 'room');
    expect(await redis.client.smembers(list)).toEqual(['room']);
    expect(await redis.client.ttl(list)).toBeGreaterThan(0);
  });

  it('keeps its list of rooms for as long as it lives', async () => {
    const redis = await server();
    const at = await node(redis, { nodeTtlMs: 900 });
    await at.roster.enter('room', seat('a', 1));
    const list = `${PREFIX}yamabiko:node:${at.nodeId}|0:rooms`;
    await redis.client.expire(list, 60);
    await until(async () => (await redis.client.ttl(list)) > 60, 'renewed with its lease');
  });

  it('refuses to start without the right that makes its lists end', async () => {
    const redis = await server();
    await redis.client.call('ACL', 'SETUSER', 'app', ...namedRights(redis.url, PREFIX).ofRedis, '-expire');
    const at = new RedisNode({ url: redis.urlAs('app', 'pw'), prefix: PREFIX });
    ended.push(() => at.stop());
    await expect(at.start()).rejects.toThrow(/Redis denied .*\+expire/);
  });

  it('starts where Redis is unreachable, and works when it comes', async () => {
    const redis = await RedisServer.absent();
    ended.push(() => redis.stop());
    const at = await node(redis);
    await expect(at.roster.enter('room', seat('a', 1))).rejects.toThrow(UnavailableError);
    await at.roster.leave('room', 'a');
    await redis.restart();
    await until(() => at.bus.ready(), 'ready');
    expect(users(await at.roster.enter('room', seat('a', 1)))).toEqual(['1']);
  });

  it('refuses to start without the rights to its keys, and names them', async () => {
    const redis = await server();
    await redis.client.call('ACL', 'SETUSER', 'app', 'on', '>pw', '~nothing', '&*', '+@all');
    const at = new RedisNode({ url: redis.urlAs('app', 'pw'), prefix: PREFIX });
    ended.push(() => at.stop());
    const started = at.start();
    await expect(started).rejects.toThrow(RedisRefusedError);
    await expect(started).rejects.toThrow('yamabiko:*');
  });

  it('works with no more than the rights that it names', async () => {
    const redis = await server();
    await redis.client.call('ACL', 'SETUSER', 'app', ...namedRights(redis.url, PREFIX).ofRedis);
    const at = await node(redis, { url: redis.urlAs('app', 'pw'), nodeTtlMs: 900 });
    await at.roster.enter('room', seat('a', 1));
    await redis.client.flushall();
    await until(() => at.restored === 1, 'restored');
    await at.roster.leave('room', 'a');
    await fence(at);
    expect(story(at.heard, 'room')).toEqual(['joined 1', 'joined 1', 'left 1']);
    expect(at.log.lines.filter((line) => line.level === 'error')).toEqual([]);
  });

  async function leaseEnd(redis: RedisServer, at: RedisNode): Promise<number> {
    return Number(await redis.client.zscore(`${PREFIX}yamabiko:nodes`, `${at.nodeId}|0`));
  }

  /** Its connections end, and nothing of it runs any more: what others see of a crash. */
  function crash(at: RedisNode): void {
    at.connections.close();
  }
});

class RestoringHeard extends Heard {
  restore: () => Promise<void> = async () => {};

  override readiness(ready: boolean): void {
    super.readiness(ready);
    if (ready && this.readinesses.length > 1) void this.restore().catch(() => {});
  }
}

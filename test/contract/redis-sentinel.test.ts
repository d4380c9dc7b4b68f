import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RedisRefusedError } from '../../server/broker/redis/redis-refused.ts';
import { UnavailableError } from '../../server/domain/outcome.ts';
import { RedisSentinel } from '../support/redis-sentinel.ts';
import { until as untilWithin } from '../support/yamabiko.ts';
import { describeBus } from './bus-behaviour.ts';
import type { Heard } from './heard.ts';
import { deniedAt, keepsALog, namedRights } from './named-rights.ts';
import { type NodeOptions, RedisNode } from './redis-node.ts';
import { restoringNode } from './restoring-node.ts';
import { describeRoster, seat, users } from './roster-behaviour.ts';

/** Nothing fails in the lists, so a busy machine must not look like an outage. */
const PATIENT = { commandTimeoutMs: 15_000 };
/** A failover takes some seconds, on a busy machine some more. */
const SLOW = { timeout: 90_000 };
const until = (condition: () => boolean | Promise<boolean>, what: string) =>
  untilWithin(condition, what, 60_000);

let redis: RedisSentinel;
beforeAll(async () => {
  redis = await RedisSentinel.start();
});
afterAll(() => redis?.stop());

describeBus('The bus on Redis with Sentinel', async (heard) => {
  const node = new RedisNode({ ...PATIENT, url: redis.url, prefix: `${randomUUID()}:`, heard });
  await node.bus.start();
  return { bus: node.bus, stop: () => node.bus.stop() };
});

describeRoster('The roster on Redis with Sentinel', async (heard: Heard) => {
  const options = { ...PATIENT, url: redis.url, prefix: `${randomUUID()}:` };
  const node = await new RedisNode({ ...options, heard }).start();
  const second = await new RedisNode(options).start();
  const stop = async () => {
    await node.stop();
    await second.stop();
  };
  return { bus: node.bus, roster: node.roster, other: second.roster, stop };
});

describe('A node on Redis with Sentinel', () => {
  const ended: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0).reverse()) await end();
  });

  async function nodeIn(room: string, options: Partial<NodeOptions> = {}): Promise<RedisNode> {
    const node = restoringNode({ url: redis.url, prefix: `${randomUUID()}:`, ...options });
    ended.push(() => node.stop());
    await node.start();
    await node.bus.follow(room);
    await node.roster.enter(room, seat('a', 1));
    return node;
  }

  async function worksAt(node: RedisNode, port: number): Promise<void> {
    await until(() => node.bus.ready(), 'ready again');
    expect(node.connections.subscriber.stream.remotePort).toBe(port);
    expect(node.connections.command.stream.remotePort).toBe(port);
    // As Laravel, which asks the Sentinels too.
    const laravel = (await redis.named()).client;
    await laravel.publish(`${node.prefix}room`, 'from Laravel');
    await until(() => node.heard.on('room').includes('from Laravel'), 'Laravel is heard');
    await until(async () => users(await node.roster.members('room')).join() === '1', 'the member is there');
  }

  it('goes to the replica that is promoted when the master dies', SLOW, async () => {
    const node = await nodeIn('room');
    const old = await redis.named();
    await old.kill();
    await until(() => !node.bus.ready(), 'not ready');
    await expect(node.bus.publish('room', 'x')).rejects.toThrow(UnavailableError);
    await expect(node.roster.enter('room', seat('b', 2))).rejects.toThrow(UnavailableError);
    const master = await redis.promoted(old);
    await worksAt(node, master.port);
    expect(node.heard.gaps).toEqual(['connection_lost']);
    expect(node.heard.readinesses).toEqual([true, false, true]);
    await old.restart();
    await redis.settled();
    expect(node.bus.ready()).toBe(true);
  });

  it('leaves a master that was frozen, came back and takes itself for one still', SLOW, async () => {
    // Patient, so that its connections outlive the freeze: they answer, and bring what is published there.
    const node = await nodeIn('room', { commandTimeoutMs: 30_000 });
    const old = await redis.named();
    old.pause();
    const master = await redis.promoted(old);
    old.resume();
    await until(() => node.heard.gaps.length > 0, 'the gap is told');
    await worksAt(node, master.port);
    expect(node.heard.gaps).toEqual(['master_changed']);
    await redis.settled();
  });

  it('leaves a master that never answers again', SLOW, async () => {
    const node = await nodeIn('room');
    const old = await redis.named();
    old.pause();
    await until(() => !node.bus.ready(), 'not ready');
    const master = await redis.promoted(old);
    await worksAt(node, master.port);
    old.resume();
    await redis.settled();
  });

  it('goes with the master when operators change it', SLOW, async () => {
    const node = await nodeIn('room');
    const master = await redis.failover();
    await until(() => node.connections.subscriber.stream?.remotePort === master.port, 'at the new master');
    await worksAt(node, master.port);
    expect(node.heard.gaps).toHaveLength(1);
  });

  it('comes back when everything died, which comes back empty', SLOW, async () => {
    const node = await nodeIn('room');
    const everything = [...redis.sentinels, ...redis.servers];
    await Promise.all(everything.map((server) => server.kill()));
    await until(() => !node.bus.ready(), 'not ready');
    await redis.revive();
    await worksAt(node, (await redis.named()).port);
    expect(node.heard.gaps).toEqual(['connection_lost']);
  });

  it('notices nothing while no Sentinel answers', SLOW, async () => {
    const node = await nodeIn('room');
    const laravel = await redis.named();
    await Promise.all(redis.sentinels.map((sentinel) => sentinel.kill()));
    for (let i = 0; i < 20; i++) {
      const text = String(i);
      await laravel.publish(`${node.prefix}room`, text);
      await until(() => node.heard.on('room').includes(text), 'heard');
    }
    expect(node.heard.readinesses).toEqual([true]);
    await redis.revive();
  });

  it('works for users of Redis and of Sentinel who have the rights that are named', SLOW, async () => {
    const prefix = `${randomUUID()}[1]*:`;
    const url = redis.urlAs('app:pw@', '?sentinelUser=asker&sentinelPassword=pw');
    const { ofRedis, ofSentinel } = namedRights(url, prefix);
    const all = [...redis.servers, ...redis.sentinels];
    for (const { client } of redis.servers) await client.call('ACL', 'SETUSER', 'app', ...ofRedis);
    for (const { client } of redis.sentinels) await client.call('ACL', 'SETUSER', 'asker', ...ofSentinel);
    for (const { client } of all) await client.call('ACL', 'LOG', 'RESET');
    const node = await nodeIn('room', { url, prefix });
    await keepsALog(url, prefix);
    const master = await redis.failover();
    await until(() => node.connections.subscriber.stream?.remotePort === master.port, 'at the new master');
    await worksAt(node, master.port);
    for (const server of all) expect(await deniedAt(server)).toEqual([]);
  });

  it('starts not ready where Sentinel knows no such master, and says so', SLOW, async () => {
    const node = new RedisNode({ url: redis.url.replace('/main', '/other'), prefix: 'p:' });
    ended.push(() => node.bus.stop());
    await node.bus.start();
    expect(node.bus.ready()).toBe(false);
    expect(JSON.stringify(node.log.lines)).toContain('knows no master named other');
  });

  it('refuses to start with a wrong password, for Redis or for Sentinel, and shows none', SLOW, async () => {
    const auth = ['--requirepass', 'right', '--masterauth', 'right'];
    const own = await RedisSentinel.start({
      args: auth,
      sentinelLines: [
        'sentinel auth-pass main right',
        'requirepass guarded',
        'sentinel sentinel-pass guarded',
      ],
      sentinelPassword: 'guarded',
    });
    ended.push(() => own.stop());
    const start = async (credentials: string, query: string) => {
      const node = new RedisNode({ url: own.urlAs(credentials, query), prefix: 'p:' });
      ended.push(() => node.bus.stop());
      const outcome = await node.bus.start().catch((err: unknown) => err);
      expect(JSON.stringify([String(outcome), node.log.lines])).not.toContain('wrong-one');
      return outcome ?? node.bus.ready();
    };
    const ofRedis = await start(':wrong-one@', '?sentinelPassword=guarded');
    expect(ofRedis).toBeInstanceOf(RedisRefusedError);
    expect(String(ofRedis)).toContain('Redis refused the user or password');
    for (const query of ['?sentinelPassword=wrong-one', '']) {
      const ofSentinel = await start(':right@', query);
      expect(ofSentinel).toBeInstanceOf(RedisRefusedError);
      expect(String(ofSentinel)).toContain('Sentinel refused the sentinelUser or sentinelPassword');
    }
    expect(await start(':right@', '?sentinelPassword=guarded')).toBe(true);
  });
});

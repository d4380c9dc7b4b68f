import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { RedisRefusedError } from '../../server/broker/redis/redis-refused.ts';
import { UnavailableError } from '../../server/domain/outcome.ts';
import { RedisServer } from '../support/redis-server.ts';
import { until } from './heard.ts';
import { MutingProxy } from './muting-proxy.ts';
import { type NodeOptions, RedisNode } from './redis-node.ts';

/** What an ACL user of ours may do; each test takes something away. */
const RIGHTS = ['on', '>pw', '~*', '&*', '+@all'];

describe('The Redis bus', () => {
  const ended: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0).reverse()) await end();
  });

  async function server(args: string[] = []): Promise<RedisServer> {
    const redis = await RedisServer.start(args);
    ended.push(() => redis.stop());
    return redis;
  }

  function node(redis: RedisServer, options: Partial<NodeOptions> = {}): RedisNode {
    const made = new RedisNode({ url: redis.url, prefix: `${randomUUID()}:`, ...options });
    ended.push(() => made.bus.stop());
    return made;
  }

  async function hears(at: RedisNode, channel: string, text: string): Promise<void> {
    await at.bus.publish(channel, text);
    await until(() => at.heard.on(channel).includes(text), `${text} on ${channel}`);
  }

  /** Redis's own word on who is subscribed. */
  async function subscribers(redis: RedisServer, name: string): Promise<number> {
    const reply = (await redis.client.call('PUBSUB', 'NUMSUB', name)) as [string, number];
    return Number(reply[1]);
  }

  it('survives a crash of Redis that comes back empty on its port', async () => {
    const redis = await server();
    const { bus, heard } = await start(node(redis));
    await bus.follow('chat:1');
    await redis.kill();
    await until(() => !bus.ready(), 'not ready');
    await expect(bus.publish('chat:1', 'x')).rejects.toThrow(UnavailableError);
    await expect(bus.follow('chat:2')).rejects.toThrow(UnavailableError);
    await redis.restart();
    await until(() => bus.ready(), 'ready again');
    expect(heard.gaps).toEqual(['connection_lost']);
    expect(heard.readinesses).toEqual([true, false, true]);
    await bus.publish('chat:1', 'after');
    expect(await heard.payloads('chat:1', 1)).toEqual(['after']);
    await bus.publish('broadcast', 'too');
    expect(await heard.payloads('broadcast', 1)).toEqual(['too']);
  });

  it('hears at once what others publish once it says that it is ready, outage after outage', async () => {
    const redis = await server();
    const at = await start(node(redis));
    await at.bus.follow('chat:1');
    for (let round = 1; round <= 3; round++) {
      await redis.kill();
      await until(() => !at.bus.ready(), 'not ready');
      await redis.restart();
      await until(() => at.bus.ready(), 'ready again');
      await hears(at, 'chat:1', String(round));
      expect(at.heard.gaps).toHaveLength(round);
    }
  });

  it('tells a gap when only its subscriber is cut off, and publishes nothing twice', async () => {
    const redis = await server();
    const { bus, heard } = await start(node(redis));
    await bus.follow('chat:1');
    await redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until(() => heard.readinesses.length === 3, 'away and back');
    expect(heard.gaps).toHaveLength(1);
    expect(bus.ready()).toBe(true);
    await bus.publish('chat:1', 'after');
    await bus.publish('chat:1', 'last');
    expect(await heard.payloads('chat:1', 2)).toEqual(['after', 'last']);
  });

  it('tells no gap when only its command connection is cut off', async () => {
    const redis = await server();
    const { bus, heard } = await start(node(redis));
    await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await until(() => heard.readinesses.length === 3, 'away and back');
    expect(heard.gaps).toEqual([]);
    expect(bus.ready()).toBe(true);
  });

  it('loses nothing while Redis is frozen, refuses meanwhile, and tells no gap', async () => {
    const redis = await server();
    const at = await start(node(redis));
    await at.bus.follow('chat:1');
    redis.pause();
    const laravel = redis.client.publish(`${at.prefix}chat:1`, 'written while frozen');
    await until(() => !at.bus.ready(), 'not ready');
    await expect(at.bus.publish('chat:1', 'x')).rejects.toThrow(UnavailableError);
    await expect(at.bus.follow('chat:2')).rejects.toThrow(UnavailableError);
    redis.resume();
    await laravel;
    await until(() => at.bus.ready(), 'ready again');
    await hears(at, 'chat:1', 'after');
    expect(at.heard.on('chat:1')).toEqual(['written while frozen', 'after']);
    expect(at.heard.gaps).toEqual([]);
  });

  it('makes its connections anew when Redis stays silent, and then tells a gap', async () => {
    const redis = await server();
    const at = await start(node(redis));
    redis.pause();
    await until(() => at.heard.gaps.length === 1, 'the gap');
    expect(at.heard.gaps).toEqual(['silent']);
    redis.resume();
    await until(() => at.bus.ready(), 'ready again');
    await at.bus.follow('chat:1');
    await hears(at, 'chat:1', 'after');
  });

  it('finds a subscriber that is connected but deaf, and cures it', async () => {
    const redis = await server();
    const at = await start(node(redis));
    await at.bus.follow('chat:1');
    // As after a failover that lost the subscriptions: the connection lives, Redis knows of none.
    await at.connections.subscriber.unsubscribe();
    await until(() => !at.bus.ready(), 'found');
    await until(() => at.bus.ready(), 'cured');
    expect(at.heard.gaps).toEqual(['deaf']);
    await hears(at, 'chat:1', 'after');
  });

  it('makes a subscriber anew whose connection is half open, while the other one works', async () => {
    const redis = await server();
    const proxy = await MutingProxy.start(redis.port);
    ended.push(() => proxy.stop());
    const at = await start(node(redis, { url: proxy.url }));
    await at.bus.follow('chat:1');
    proxy.mute('yamabiko-subscriber');
    await until(() => !at.bus.ready(), 'found');
    await until(() => at.bus.ready(), 'cured');
    expect(at.heard.gaps).toEqual(['deaf']);
    await hears(at, 'chat:1', 'after');
  });

  it('makes a subscriber anew that confirms every SUBSCRIBE and brings nothing', async () => {
    const redis = await server();
    const proxy = await MutingProxy.start(redis.port);
    ended.push(() => proxy.stop());
    const at = await start(node(redis, { url: proxy.url }));
    await at.bus.follow('chat:1');
    proxy.deafen('yamabiko-subscriber');
    await until(() => !at.bus.ready(), 'found');
    await until(() => at.bus.ready(), 'cured');
    await hears(at, 'chat:1', 'after');
  });

  it('tries another connection when the new one does not answer its SUBSCRIBE', async () => {
    const redis = await server();
    const proxy = await MutingProxy.start(redis.port);
    ended.push(() => proxy.stop());
    const at = await start(node(redis, { url: proxy.url }));
    await at.bus.follow('chat:1');
    proxy.muteNext('subscribe');
    await redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until(() => proxy.mutedBy('subscribe'), 'a SUBSCRIBE was swallowed');
    await until(() => at.bus.ready(), 'ready again');
    await hears(at, 'chat:1', 'after');
  });

  it('starts not ready where Redis is unreachable, and is ready when it comes', async () => {
    const redis = await RedisServer.absent();
    ended.push(() => redis.stop());
    const at = await start(node(redis));
    expect(at.bus.ready()).toBe(false);
    await expect(at.bus.publish('chat:1', 'x')).rejects.toThrow(UnavailableError);
    await redis.restart();
    await until(() => at.bus.ready(), 'ready');
    expect(at.heard.gaps).toEqual([]);
    await at.bus.follow('chat:1');
    await hears(at, 'chat:1', 'hello');
  });

  it.each([
    ['no password', (redis: RedisServer) => redis.url],
    ['a wrong password', (redis: RedisServer) => `redis://:not-it@127.0.0.1:${redis.port}`],
    ['an unknown user', (redis: RedisServer) => redis.urlAs('nobody', 'not-it')],
  ])('refuses to start with %s, and shows none', async (_what, url) => {
    const redis = await server(['--requirepass', 'right']);
    const at = node(redis, { url: url(redis) });
    const error = await at.bus.start().then(
      () => null,
      (err: unknown) => err,
    );
    expect(error).toBeInstanceOf(RedisRefusedError);
    expect(String(error)).toContain('YAMABIKO_REDIS_URL');
    expect(JSON.stringify([String(error), at.log.lines])).not.toContain('not-it');
  });

  it('tells of a wrong password also when Redis was unreachable at first', async () => {
    const redis = await RedisServer.absent(['--requirepass', 'right']);
    ended.push(() => redis.stop());
    const at = await start(node(redis, { url: redis.urlAs('default', 'not-it') }));
    await redis.restart();
    await until(() => JSON.stringify(at.log.lines).includes('WRONGPASS'), 'told');
    expect(at.bus.ready()).toBe(false);
    expect(JSON.stringify(at.log.lines)).not.toContain('not-it');
  });

  it('starts with the right password', async () => {
    const redis = await server(['--requirepass', 'right']);
    const at = await start(node(redis, { url: `redis://:right@127.0.0.1:${redis.port}` }));
    expect(at.bus.ready()).toBe(true);
  });

  it.each([
    ['the custom channel', ['resetchannels', '&mine:yamabiko:*'], 'SUBSCRIBE'],
    ['its own channels', ['resetchannels', '&mine:broadcast'], 'SUBSCRIBE'],
    ['SUBSCRIBE', ['-subscribe'], 'SUBSCRIBE'],
    ['PUBLISH', ['-publish'], 'PUBLISH'],
  ])('refuses to start without the right to %s, and names what it needs', async (_what, less, attempt) => {
    const redis = await server();
    await redis.client.call('ACL', 'SETUSER', 'app', ...RIGHTS, ...less);
    const at = node(redis, { url: redis.urlAs('app', 'pw'), prefix: 'mine:' });
    await expect(at.bus.start()).rejects.toThrow(RedisRefusedError);
    const again = node(redis, { url: redis.urlAs('app', 'pw'), prefix: 'mine:' });
    await expect(again.bus.start()).rejects.toThrow(new RegExp(`${attempt}.*&mine:\\* &mine:broadcast`));
  });

  it('waits, without a crash, while rights are taken away as it runs', async () => {
    const redis = await server();
    await redis.client.call('ACL', 'SETUSER', 'app', ...RIGHTS);
    const at = await start(node(redis, { url: redis.urlAs('app', 'pw') }));
    await at.bus.follow('chat:1');
    await redis.client.call('ACL', 'SETUSER', 'app', 'resetchannels');
    await redis.client.call('CLIENT', 'KILL', 'USER', 'app');
    await until(() => at.log.lines.some((line) => line.message.includes('could not be made ready')), 'told');
    expect(at.bus.ready()).toBe(false);
    await redis.client.call('ACL', 'SETUSER', 'app', 'allchannels');
    await until(() => at.bus.ready(), 'ready again');
    expect(at.heard.gaps).toHaveLength(1);
    await hears(at, 'chat:1', 'after');
  });

  it('undoes a follow that Redis refuses, and can follow it later', async () => {
    const redis = await server();
    await redis.client.call(
      'ACL',
      'SETUSER',
      'app',
      ...RIGHTS,
      'resetchannels',
      '&p:broadcast',
      '&p:#yamabiko:*',
    );
    const at = await start(node(redis, { url: redis.urlAs('app', 'pw'), prefix: 'p:' }));
    const refused = await Promise.allSettled([at.bus.follow('chat:1'), at.bus.follow('chat:1')]);
    for (const result of refused) expect(result).toMatchObject({ reason: expect.any(UnavailableError) });
    // Taking the right away would cut the connection off; giving one does not.
    await redis.client.call('ACL', 'SETUSER', 'app', '&p:chat:1');
    await at.bus.follow('chat:1');
    await hears(at, 'chat:1', 'after');
    at.bus.unfollow('chat:1');
    await until(
      async () => (await subscribers(redis, 'p:chat:1')) === 0,
      'no follower is left of the refused',
    );
  });

  it('subscribes on the first follow and lets go after the last, not at once', async () => {
    const redis = await server();
    const at = await start(node(redis, { prefix: 'p:', unfollowDelayMs: 100 }));
    await Promise.all([at.bus.follow('chat:1'), at.bus.follow('chat:1')]);
    expect(await subscribers(redis, 'p:chat:1')).toBe(1);
    at.bus.unfollow('chat:1');
    at.bus.unfollow('chat:1');
    expect(await subscribers(redis, 'p:chat:1')).toBe(1);
    await until(async () => (await subscribers(redis, 'p:chat:1')) === 0, 'let go');
    expect(await subscribers(redis, 'p:broadcast')).toBe(1);
  });

  it('keeps a channel that somebody follows again before it was let go', async () => {
    const redis = await server();
    const at = await start(node(redis, { prefix: 'p:', unfollowDelayMs: 0 }));
    // With no delay the UNSUBSCRIBE of one round meets the SUBSCRIBE of the next.
    for (let round = 1; round <= 100; round++) {
      await at.bus.follow('chat:1');
      await hears(at, 'chat:1', String(round));
      at.bus.unfollow('chat:1');
      if (round % 3 === 0) await new Promise((resolve) => setTimeout(resolve, round % 4));
    }
    await until(async () => (await subscribers(redis, 'p:chat:1')) === 0, 'let go');
  });

  it('hears the custom channel under its own prefix, and a channel that bears the same whole name', async () => {
    const redis = await server();
    const at = await start(node(redis, { prefix: '', broadcastPrefix: 'laravel_' }));
    await at.bus.follow('laravel_broadcast');
    await redis.client.publish('laravel_broadcast', 'from Laravel');
    expect(await at.heard.payloads('broadcast', 1)).toEqual(['from Laravel']);
    expect(await at.heard.payloads('laravel_broadcast', 1)).toEqual(['from Laravel']);
    at.bus.unfollow('laravel_broadcast');
    await hears(at, 'broadcast', 'still');
  });

  it('is not troubled by FLUSHALL', async () => {
    const redis = await server();
    const at = await start(node(redis));
    await at.bus.follow('chat:1');
    await redis.client.flushall();
    await hears(at, 'chat:1', 'after');
    expect(at.heard.readinesses).toEqual([true]);
  });

  async function start(at: RedisNode): Promise<RedisNode> {
    await at.bus.start();
    return at;
  }
});

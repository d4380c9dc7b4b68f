import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Certificate, Certificates } from '../support/certificates.ts';
import { RedisCluster } from '../support/redis-cluster.ts';
import { RedisSentinel } from '../support/redis-sentinel.ts';
import { RedisServer } from '../support/redis-server.ts';
import { until } from '../support/yamabiko.ts';
import { RedisNode } from './redis-node.ts';
import { seat, users } from './roster-behaviour.ts';

/** A failover takes some seconds, on a busy machine some more. */
const SLOW = { timeout: 90_000 };
const text = (path: string) => readFileSync(path, 'utf8');

describe('Redis over TLS', () => {
  const certificates = new Certificates();
  const ended: (() => Promise<void>)[] = [];
  let redis: RedisServer;
  let own: Certificate;
  let tls: Record<string, string>;
  let files: string[];
  beforeAll(async () => {
    const server = certificates.issue('server', 'DNS:redis.test');
    own = certificates.issue('client');
    tls = { 'tls-cert-file': server.cert, 'tls-key-file': server.key, 'tls-ca-cert-file': certificates.ca };
    files = Object.entries(tls).flatMap(([name, value]) => [`--${name}`, value]);
    redis = await RedisServer.start(files);
  });
  afterEach(async () => {
    for (const end of ended.splice(0)) await end();
  });
  afterAll(async () => {
    await redis?.stop();
    certificates.remove();
  });

  async function nodeWith(tls: object, url = `rediss://127.0.0.1:${redis.tlsPort}`): Promise<RedisNode> {
    const node = new RedisNode({ url, prefix: `${randomUUID()}:`, tls });
    ended.push(() => node.stop());
    await node.start();
    return node;
  }
  const all = () => ({
    tlsCa: text(certificates.ca),
    tlsCert: text(own.cert),
    tlsKey: text(own.key),
    tlsServername: 'redis.test',
  });

  it('is reached with its authority, our certificate and the name that it bears', async () => {
    const node = await nodeWith(all());
    expect(node.bus.ready()).toBe(true);
    await node.bus.publish('broadcast', 'hello');
    expect(await node.heard.payloads('broadcast', 1)).toEqual(['hello']);
  });

  it('is reached so as a Cluster too, each of its masters', SLOW, async () => {
    const cluster = await RedisCluster.start([...files, '--tls-cluster', 'yes', '--tls-replication', 'yes']);
    ended.push(() => cluster.stop());
    const node = await nodeWith(all(), cluster.tlsUrl);
    expect(node.bus.ready()).toBe(true);
    const rooms = Array.from({ length: 12 }, (_, i) => `room${i}`);
    for (const room of rooms) expect(users(await node.roster.enter(room, seat(room, 1)))).toEqual(['1']);
    await node.bus.publish('broadcast', 'hello');
    expect(await node.heard.payloads('broadcast', 1)).toEqual(['hello']);
  });

  it('is reached so behind Sentinel, which it asks over TLS, and after a failover', SLOW, async () => {
    const sentinel = await RedisSentinel.start({ tls });
    ended.push(() => sentinel.stop());
    const node = await nodeWith(all(), sentinel.url);
    const at = (master: RedisServer) => {
      const { subscriber, command } = node.connections;
      return [subscriber, command].every(({ stream }) => stream?.remotePort === master.tlsPort);
    };
    expect([node.bus.ready(), at(await sentinel.named())]).toEqual([true, true]);
    expect(users(await node.roster.enter('room', seat('room', 1)))).toEqual(['1']);
    const master = await sentinel.failover();
    await until(() => at(master) && node.bus.ready(), 'at the new master', 60_000);
    await node.bus.publish('broadcast', 'hello');
    expect(await node.heard.payloads('broadcast', 1)).toEqual(['hello']);
    const stranger = await nodeWith({ ...all(), tlsCa: null }, sentinel.url);
    expect(stranger.bus.ready()).toBe(false);
    expect(JSON.stringify(stranger.log.lines)).toMatch(
      /no Sentinel names the master.*(unable to|self.signed)/i,
    );
  });

  it.each([
    ['an authority that nobody knows', { tlsCa: null }, /unable to (get|verify)|self.signed/i],
    ['a certificate for another name', { tlsServername: 'other.test' }, /altnames|does not match/i],
    ['no certificate of ours', { tlsCert: null, tlsKey: null }, /certificate|closed|reset/i],
  ])('is not taken with %s, and the reason is told', async (_what, less, reason) => {
    const node = await nodeWith({ ...all(), ...less });
    expect(node.bus.ready()).toBe(false);
    expect(JSON.stringify(node.log.lines)).toMatch(reason);
  });
});

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Certificate, Certificates } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { RedisServer } from '../support/redis-server.ts';
import { RedisNode } from './redis-node.ts';

const text = (path: string) => readFileSync(path, 'utf8');

describe('Redis over TLS', () => {
  const certificates = new Certificates();
  const ended: (() => Promise<void>)[] = [];
  let redis: RedisServer;
  let port: number;
  let own: Certificate;
  beforeAll(async () => {
    const server = certificates.issue('server', 'DNS:redis.test');
    own = certificates.issue('client');
    port = await freePort();
    redis = await RedisServer.start([
      ...['--tls-port', String(port), '--tls-auth-clients', 'yes'],
      ...[
        '--tls-cert-file',
        server.cert,
        '--tls-key-file',
        server.key,
        '--tls-ca-cert-file',
        certificates.ca,
      ],
    ]);
  });
  afterEach(async () => {
    for (const end of ended.splice(0)) await end();
  });
  afterAll(async () => {
    await redis?.stop();
    certificates.remove();
  });

  async function nodeWith(tls: object): Promise<RedisNode> {
    const node = new RedisNode({ url: `rediss://127.0.0.1:${port}`, prefix: `${randomUUID()}:`, tls });
    ended.push(() => node.bus.stop());
    await node.bus.start();
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

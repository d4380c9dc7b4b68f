import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { neededRights } from '../../server/broker/redis/redis-refused.ts';
import { EchoClient } from '../support/echo-client.ts';
import { mintToken, TEST_SECRET } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { RedisServer } from '../support/redis-server.ts';
import { ask } from './support/ask.ts';
import { deployFile } from './support/deploy-file.ts';
import { YamabikoNode } from './support/yamabiko-node.ts';

const PASSWORD = 'a-password-of-this-test';
const PREFIX = 'laravel_database_';

describe('the Redis user of redis-users.acl', () => {
  const dir = mkdtempSync(join(tmpdir(), 'yamabiko-acl-'));
  let redis: RedisServer;
  let nodes: readonly YamabikoNode[];

  beforeAll(async () => {
    const file = join(dir, 'users.acl');
    writeFileSync(file, deployFile('redis-users.acl', { 'CHANGE-THIS-PASSWORD': PASSWORD }));
    redis = await RedisServer.start(['--aclfile', file]);
    const env = {
      YAMABIKO_REDIS_URL: redis.urlAs('yamabiko', PASSWORD),
      YAMABIKO_JWT_SECRET: TEST_SECRET,
      YAMABIKO_APPS: 'app:key',
    };
    nodes = await YamabikoNode.startTwo(env);
  });

  afterAll(async () => {
    await Promise.all((nodes ?? []).map((node) => node.stop()));
    await redis?.stop();
    rmSync(dir, { recursive: true });
  });

  it('has exactly the rights that a refusal would name', () => {
    const words = deployFile('redis-users.acl').trim().split(/\s+/);
    const rights = neededRights({ prefix: PREFIX, broadcastPrefix: PREFIX }).match(/[+~&][^\s,;]+/g) ?? [];
    // Covered by the prefix's pattern.
    const wanted = rights.filter((right) => right !== `&${PREFIX}broadcast`);
    expect(words.filter((word) => /^[+~&]/.test(word)).sort()).toEqual(wanted.sort());
  });

  it('can do all that two nodes do', async () => {
    const [first, second] = nodes as [YamabikoNode, YamabikoNode];
    const token = (id: number) => mintToken({ id, name: `user${id}`, channel: 'chat:acl' });
    const ada = await RawClient.join({ url: first.url, token: token(1) });
    const bob = await RawClient.join({ url: second.url, token: token(2) });
    expect(await ada.next('connectOther')).toMatchObject({ data: { user: { id: 2 } } });
    expect(await bob.request({ message: 'hello', name: 'bob' })).toMatchObject({ ok: true });
    expect(await ada.next('message')).toMatchObject({ data: { message: 'hello' } });
    const page = await EchoClient.open({ url: second.url });
    const news = page.channel('news', '.Shipped');
    expect(await page.settled('news')).toMatchObject({ ok: true });
    await redis.client.publish(`${PREFIX}news`, '{"event":"Shipped","data":{"order":1},"socket":null}');
    expect((await news.next('.Shipped')).payload).toMatchObject({ order: 1 });
    // Asked of the other node, by Socket.IO's adapter.
    const headers = { authorization: 'Bearer key' };
    const { body } = await ask(first.url, '/apps/app/channels', { headers });
    expect(Object.keys(JSON.parse(body).channels).sort()).toEqual(['chat:acl', 'news']);
    expect(await first.metrics()).toContain('yamabiko_history_kept 1');
    await bob.close();
    expect(await ada.next('disconnectOther')).toMatchObject({ data: { user: { id: 2 } } });
    page.close();
    await ada.close();
  });

  it('was denied nothing but the name of its connections, which only CLIENT LIST shows', async () => {
    const log = (await redis.client.call('ACL', 'LOG')) as string[][];
    const denied = log.map((entry) => entry[entry.indexOf('object') + 1]);
    expect(denied.filter((object) => object !== 'client|setname')).toEqual([]);
  });

  it('may lack what only recovery needs: events flow, and the log says that none are kept', async () => {
    await redis.client.call('ACL', 'SETUSER', 'yamabiko', '-psubscribe', '-punsubscribe', '-@stream');
    const node = await YamabikoNode.start({
      YAMABIKO_REDIS_URL: redis.urlAs('yamabiko', PASSWORD),
      YAMABIKO_JWT_SECRET: TEST_SECRET,
    });
    onTestFinished(async () => void (await node.stop()));
    expect(node.output).toContain('cannot keep a history of broadcasts');
    expect(await node.metrics()).toContain('yamabiko_history_kept 0');
    const page = await EchoClient.open({ url: node.url });
    onTestFinished(() => page.close());
    const news = page.channel('plain', '.Shipped');
    expect(await page.settled('plain')).toMatchObject({ ok: true });
    await redis.client.publish(`${PREFIX}plain`, '{"event":"Shipped","data":{"order":2},"socket":null}');
    expect((await news.next('.Shipped')).payload).toMatchObject({ order: 2 });
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publishByRedis } from '../../server/cli/publish-by-redis.ts';
import { RedisCluster } from '../support/redis-cluster.ts';
import { RedisSentinel } from '../support/redis-sentinel.ts';
import { RedisNode } from './redis-node.ts';

const PATIENT = { prefix: 'p:', broadcastPrefix: 'p:', commandTimeoutMs: 15_000 };
const PUBLICATION = { channel: 'news', event: null, data: '{"n":1}', socketId: null };

describe.each([
  { name: 'Redis with Sentinel', start: () => RedisSentinel.start() },
  { name: 'Redis Cluster', start: () => RedisCluster.start() },
])('yamabiko publish on $name', ({ start }) => {
  let store: { url: string; stop(): Promise<void> };
  beforeAll(async () => {
    store = await start();
  });
  afterAll(() => store?.stop());

  it('says who heard it', async () => {
    const nobody = await publishByRedis(PUBLICATION, { ...PATIENT, url: store.url });
    expect(nobody).toContain('nobody listens there');
    const node = await new RedisNode({ ...PATIENT, url: store.url }).start();
    const said = await publishByRedis(PUBLICATION, { ...PATIENT, url: store.url });
    expect(said).toBe('published on p:broadcast, heard by 1');
    expect(await node.heard.payloads('broadcast', 1)).toEqual([
      '{"channel":"news","data":{"n":1},"type":"message"}',
    ]);
    await node.stop();
  });

  it('says why nobody answers, without the password', async () => {
    await store.stop();
    const url = store.url.replace('://', '://u:hidden@');
    const failed = await publishByRedis(PUBLICATION, { ...PATIENT, url }).catch((err: unknown) =>
      String(err),
    );
    expect(failed).toMatch(/does not answer .*ECONNREFUSED/);
    expect(failed).not.toContain('hidden');
  });
});

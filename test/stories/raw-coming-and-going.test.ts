import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CLUSTERS, CLUSTERS_OF_NODES, type Cluster } from '../support/clusters.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { RedisServer } from '../support/redis-server.ts';
import { startYamabiko, until } from '../support/yamabiko.ts';

describe.each(CLUSTERS_OF_NODES)('many raw clients $name', (kind) => {
  const COUNT = 200;
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await kind.start();
  });
  afterAll(() => cluster?.stop());

  it('that join one room at once each see every user exactly once, in the list or announced', async () => {
    const channel = 'chat:crowd';
    const ids = Array.from({ length: COUNT }, (_, n) => n + 1);
    const clients = await Promise.all(
      ids.map((id) =>
        RawClient.join({
          url: (id % 2 === 0 ? cluster.server : cluster.guestServer).url,
          token: mintToken({ id, name: `u${id}`, channel }),
          name: `u${id}`,
        }),
      ),
    );
    for (const client of clients) {
      const seen: number[] = client.connected.users.map((user: { id: number }) => user.id);
      while (seen.length < COUNT) seen.push((await client.next('connectOther')).sender.id);
      expect(seen.sort((a, b) => a - b)).toEqual(ids);
    }
    await Promise.all(clients.map((client) => client.close()));
    await cluster.settledToZero();
    for (const { connected, texts } of clients.map((c) => ({ connected: c.connected, texts: c.texts() })))
      expect(texts.filter((text) => text.includes('"connectOther"'))).toHaveLength(
        COUNT - connected.users.length,
      );
  });

  it('that come and go at once leave nobody, neither in the counters nor in the next list', async () => {
    const channel = 'chat:storm';
    const witness = await RawClient.join({
      url: cluster.server.url,
      token: mintToken({ id: 9_999, name: 'witness', channel }),
    });
    const present = new Map<number, number>();
    witness.socket.on('message', (bytes) => {
      const { type, sender } = JSON.parse(String(bytes));
      const change = type === 'connectOther' ? 1 : type === 'disconnectOther' ? -1 : 0;
      if (change !== 0) present.set(sender.id, (present.get(sender.id) ?? 0) + change);
    });
    await Promise.all(
      Array.from({ length: COUNT }, async (_, n) => {
        const client = new RawClient({
          url: (n % 2 === 0 ? cluster.server : cluster.guestServer).url,
          token: mintToken({ id: (n % 20) + 1, name: 'guest', channel }),
        });
        await new Promise((resolve) => client.socket.once('open', resolve));
        // Some go while they join, some when they are in, some without a word.
        if (n % 3 === 0) await client.next('connected');
        await (n % 2 === 0 ? client.cut() : client.close());
      }),
    );
    await until(
      () => cluster.server.snapshot().members === 1 && cluster.guestServer.snapshot().members <= 1,
      'only the witness is left',
    );
    await until(
      () => [...present.values()].every((count) => count === 0),
      () => `the witness has seen each leave that he saw come: ${JSON.stringify([...present])}`,
    );
    const next = await RawClient.join({
      url: cluster.guestServer.url,
      token: mintToken({ id: 5_000, name: 'next', channel }),
    });
    expect(next.connected.users.map(({ id }: { id: number }) => id).sort()).toEqual([5_000, 9_999]);
    await next.close();
    await witness.close();
    await cluster.settledToZero();
  });
});

describe.each(CLUSTERS)('a server that stops $name', (kind) => {
  it('tells its raw clients to come back with 1012, and takes no new ones', async () => {
    const cluster = await kind.start();
    const clients = await Promise.all(
      [1, 2, 3].map((id) =>
        RawClient.join({ url: cluster.server.url, token: mintToken({ id, name: `u${id}` }) }),
      ),
    );
    await cluster.stop();
    for (const client of clients) {
      expect(await client.next('error')).toMatchObject({ code: 'restarting' });
      expect((await client.closed()).code).toBe(1012);
    }
    expect(cluster.server.snapshot()).toMatchObject({ connections: { raw: 0 }, members: 0 });
  });
});

describe('Redis away', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis?.stop());
  afterEach(() => redis.resume());

  const start = () =>
    startYamabiko({ YAMABIKO_REDIS_URL: redis.url, YAMABIKO_REDIS_COMMAND_TIMEOUT_MS: '300' });

  it('refuses a raw client with 1013, and takes him when it is back', async () => {
    const server = await start();
    await redis.kill();
    await until(async () => (await fetch(`${server.url}/health/ready`)).status === 503, 'it is not ready');
    const token = mintToken({});
    const client = await RawClient.open({ url: server.url, token });
    expect(await client.next()).toMatchObject({ type: 'error', code: 'unavailable' });
    expect((await client.closed()).code).toBe(1013);
    await redis.restart();
    await server.ready();
    await (await RawClient.join({ url: server.url, token })).close();
    await server.settledToZero();
    await server.stop();
  });

  it('refuses a send whose outcome is unknown, keeps the connection, and never sends it again', async () => {
    const server = await start();
    const client = await RawClient.join({ url: server.url, token: mintToken({}) });
    await redis.kill();
    expect(await client.request({ message: 'lost', name: 'a' }, 1)).toMatchObject({
      ok: false,
      id: 1,
      error: { code: 'unavailable' },
    });
    await redis.restart();
    await server.ready();
    expect(await client.request({ message: 'next', name: 'a' }, 2)).toMatchObject({ ok: true, id: 2 });
    expect((await client.next('message')).data.message).toBe('next');
    await client.close();
    await server.settledToZero();
    await server.stop();
  });

  it('that only does not answer refuses joins and sends in time', async () => {
    const server = await start();
    const client = await RawClient.join({ url: server.url, token: mintToken({}) });
    redis.pause();
    const late = await RawClient.open({ url: server.url, token: mintToken({ id: 2, name: 'late' }) });
    expect(await client.request({ message: 'm', name: 'a' })).toMatchObject({
      ok: false,
      error: { code: 'unavailable' },
    });
    expect(await late.next('error')).toMatchObject({ code: 'unavailable' });
    expect((await late.closed()).code).toBe(1013);
    redis.resume();
    await server.ready();
    // What was refused has left no member behind, though Redis has meanwhile done what it was asked.
    await until(async () => {
      const probe = await RawClient.open({ url: server.url, token: mintToken({ id: 3, name: 'probe' }) });
      const { users } = await probe.next();
      await probe.close();
      return users?.length === 2;
    }, 'the list is of those who are there');
    await client.close();
    await server.settledToZero();
    await server.stop();
  });

  it('while a client joins who then goes leaves no ghost of him', async () => {
    const server = await startYamabiko({ YAMABIKO_REDIS_URL: redis.url });
    const witness = await RawClient.join({ url: server.url, token: mintToken({ id: 1, name: 'witness' }) });
    redis.pause();
    const ghost = await RawClient.open({ url: server.url, token: mintToken({ id: 2, name: 'ghost' }) });
    ghost.send({ message: 'from the other side', name: 'ghost' });
    await ghost.cut();
    await until(() => server.snapshot().connections.raw === 1, 'his connection is gone');
    redis.resume();
    await server.ready();
    const next = await RawClient.join({ url: server.url, token: mintToken({ id: 3, name: 'next' }) });
    await until(() => server.snapshot().members === 2, 'two are members');
    // He may have been seen for a moment: then he was seen to go, too.
    await until(
      () =>
        witness.texts().filter((t) => t.includes('"connectOther"')).length - 1 ===
        witness.texts().filter((t) => t.includes('"disconnectOther"')).length,
      () => `who came has gone: ${witness.texts().join()}`,
    );
    expect(witness.texts().join()).not.toContain('from the other side');
    await next.close();
    await witness.close();
    await server.settledToZero();
    await server.stop();
  });
});

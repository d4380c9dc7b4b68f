import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Certificate, Certificates } from '../support/certificates.ts';
import { RedisServer } from '../support/redis-server.ts';
import { Ear, type EarOptions } from '../support/replication-ear.ts';

/** A first replica waits for others as shipped, 5 s. */
const AT_ONCE = ['--repl-diskless-sync-delay', '0'];

const ears: Ear[] = [];
afterEach(() => {
  for (const { reader } of ears.splice(0)) reader.stop();
});
function ear(options: EarOptions): Ear {
  const made = new Ear(options);
  ears.push(made);
  return made;
}

describe('The replication stream', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await RedisServer.start(AT_ONCE);
  });
  afterAll(() => redis?.stop());

  async function listening(options: Partial<EarOptions> = {}): Promise<Ear> {
    const made = ear({ url: redis.url, ...options });
    made.reader.start(null);
    await made.syncedTimes(1);
    return made;
  }

  it('tells what is published once, in order, with the same offsets to all who read it', async () => {
    const [one, two] = [await listening(), await listening()];
    await publishInAllWays(redis, 2000);
    for (const { payloads } of await Promise.all([one, two].map((each) => heardLast(each, 2000))))
      expect(payloads).toEqual(numbered(2000));
    expect(one.told).toEqual(two.told);
    const offsets = one.told.map(({ offset }) => offset);
    expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b));
  });

  it('goes on behind any message that it told, as whoever heard that message can', async () => {
    const first = await listening();
    await publishInAllWays(redis, 50);
    await heardLast(first, 50);
    const { replid } = first.synced[0]!;
    for (const at of [0, 7, 48]) {
      const later = ear({ url: redis.url });
      later.reader.start({ replid, offset: first.told[at]!.offset });
      await heardLast(later, 50);
      expect(later.synced).toEqual([{ replid, offset: first.told[at]!.offset, continued: true }]);
      expect(later.told).toEqual(first.told.slice(at + 1));
    }
  });

  it('begins now, and says so, where it is asked to go on in another history, or ahead of this one', async () => {
    const { synced } = await listening();
    const { replid } = synced[0]!;
    const places = [
      { replid: 'f'.repeat(40), offset: 10 },
      { replid, offset: 2 ** 50 },
    ];
    for (const place of places) {
      const made = ear({ url: redis.url });
      made.reader.start(place);
      expect(await made.syncedTimes(1)).toMatchObject({ continued: false, replid });
      await redis.publish('x', 'hello');
      await made.heard('hello');
      expect(made.payloads).toEqual(['hello']);
    }
  });

  it('tells binary names and payloads byte for byte, empty ones too', async () => {
    const made = await listening();
    const bytes = Buffer.from([0, 13, 10, 255, 42, 36]);
    await redis.client.publish(bytes as unknown as string, bytes);
    await redis.client.publish('', '');
    await redis.client.publish('x', 'end');
    await made.heard('end');
    expect(made.told.slice(0, 2).map(({ name, payload }) => [name, payload])).toEqual([
      [bytes.toString(), bytes.toString()],
      ['', ''],
    ]);
  });

  it('lets everything else pass, whatever its size, without holding it', { timeout: 60_000 }, async () => {
    const made = await listening({ wants: (name) => name === 'mine' });
    const bigBytes = 96 * 1024 * 1024;
    const before = process.memoryUsage().arrayBuffers;
    let peak = 0;
    const watching = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
    }, 1);
    // Made in Redis, so that this process holds none of it but what passes by.
    await redis.client.eval(
      "local big = string.rep('x', tonumber(ARGV[1])); redis.call('SET', KEYS[1], big); redis.call('PUBLISH', 'other', big)",
      1,
      'big',
      bigBytes,
    );
    await redis.client.publish('mine', 'end');
    await made.heard('end');
    clearInterval(watching);
    await redis.client.del('big');
    expect(made.payloads).toEqual(['end']);
    expect(made.lost).toEqual([]);
    expect(peak).toBeLessThan(bigBytes);
  });

  it('does not count as somebody who has the data, nor as a place to fail over to', async () => {
    await listening();
    await redis.client.set('key', 'value');
    expect(await redis.client.wait(1, 300)).toBe(0);
    const info = await redis.client.info('replication');
    expect(info).toMatch(/slave0:ip=127.0.0.1,port=-1,state=online,offset=0/);
  });

  it('is read with a database full of data, which it does not ask for', async () => {
    const own = await RedisServer.start([...AT_ONCE, '--repl-diskless-sync', 'no']);
    try {
      await own.client.eval("for i = 1, 100000 do redis.call('SET', 'key:' .. i, i) end", 0);
      const made = ear({ url: own.url });
      made.reader.start(null);
      await made.syncedTimes(1);
      const stats = await own.client.info('stats');
      expect(Number(/total_net_repl_output_bytes:(\d+)/.exec(stats)?.[1])).toBeLessThan(2000);
      await own.publish('x', 'hello');
      await made.heard('hello');
    } finally {
      await own.stop();
    }
  });
});

describe('The replication stream over TLS', () => {
  const certificates = new Certificates();
  let redis: RedisServer;
  let own: Certificate;
  beforeAll(async () => {
    const server = certificates.issue('server', 'DNS:redis.test');
    own = certificates.issue('client');
    const files = ['--tls-cert-file', server.cert, '--tls-key-file', server.key];
    redis = await RedisServer.start([...AT_ONCE, ...files, '--tls-ca-cert-file', certificates.ca]);
  });
  afterAll(async () => {
    await redis?.stop();
    certificates.remove();
  });

  it('is heard with our certificate and the name that its own bears', async () => {
    const [tlsCa, tlsCert, tlsKey] = [certificates.ca, own.cert, own.key].map((path) =>
      readFileSync(path, 'utf8'),
    );
    const tls = { tlsCa: tlsCa!, tlsCert: tlsCert!, tlsKey: tlsKey!, tlsServername: 'redis.test' };
    const made = ear({ url: `rediss://127.0.0.1:${redis.tlsPort}`, ...tls });
    made.reader.start(null);
    await made.syncedTimes(1);
    await redis.publish('x', 'hello');
    await made.heard('hello');
  });

  it('is not heard where the certificate bears another name, and the reason is told', async () => {
    const made = ear({
      url: `rediss://127.0.0.1:${redis.tlsPort}`,
      tlsCa: readFileSync(certificates.ca, 'utf8'),
    });
    made.reader.start(null);
    await expect.poll(() => String(made.failed[0])).toMatch(/altnames|does not match/i);
    expect(made.synced).toEqual([]);
  });
});

const numbered = (count: number) => Array.from({ length: count }, (_, i) => String(i));

/** As Laravel (EVAL), as a queue's worker (MULTI), and as anybody does; other commands between. */
async function publishInAllWays(redis: RedisServer, count: number): Promise<void> {
  const { client } = redis;
  const script =
    "redis.call('SET', KEYS[1], ARGV[1]); for i = 1, 2 do redis.call('publish', 'x', ARGV[i]) end";
  let last: Promise<unknown> = Promise.resolve();
  for (let i = 0; i < count; i += 5) {
    void client.publish('x', String(i));
    void client.eval(script, 1, 'key', String(i + 1), String(i + 2));
    last = client
      .multi()
      .publish('x', String(i + 3))
      .set('key', i)
      .publish('x', String(i + 4))
      .exec();
  }
  await last;
}

async function heardLast(each: Ear, count: number): Promise<Ear> {
  await each.heard(String(count - 1));
  return each;
}

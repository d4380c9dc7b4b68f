import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RedisRefusedError } from '../../server/broker/redis/redis-refused.ts';
import { RedisServer } from '../support/redis-server.ts';
import { Ear } from '../support/replication-ear.ts';
import { until } from '../support/yamabiko.ts';

const AT_ONCE = ['--repl-diskless-sync-delay', '0'];
const NEEDED = ['hello', 'auth', 'info', 'replconf', 'psync'];

describe('The right to the replication stream', () => {
  let redis: RedisServer;
  const ears: Ear[] = [];
  beforeAll(async () => {
    redis = await RedisServer.start([...AT_ONCE, '--requirepass', 'topsecret']);
  });
  afterEach(() => {
    for (const { reader } of ears.splice(0)) reader.stop();
  });
  afterAll(() => redis?.stop());

  function started(url: string): Ear {
    const ear = new Ear({ url });
    ears.push(ear);
    ear.reader.start(null);
    return ear;
  }

  async function user(name: string, commands: readonly string[]): Promise<string> {
    const rights = ['reset', 'on', '>pass-word', '-@all', ...commands.map((command) => `+${command}`)];
    await redis.client.call('ACL', 'SETUSER', name, ...rights);
    return redis.urlAs(name, 'pass-word');
  }

  async function refusalOf(url: string): Promise<string> {
    const ear = started(url);
    await until(() => ear.failed.length >= 2, 'it is refused, and tries on');
    expect(ear.failed[0]).toBeInstanceOf(RedisRefusedError);
    expect(ear.synced).toEqual([]);
    return String(ear.failed[0]);
  }

  it('is five commands, and no key or channel', async () => {
    const ear = started(await user('few', NEEDED));
    await ear.syncedTimes(1);
    await redis.publish('x', 'hello');
    await ear.heard('hello');
    expect(ear.failed).toEqual([]);
  });

  it('is had with the password alone too', async () => {
    const ear = started(redis.adminUrl);
    await ear.syncedTimes(1);
    await redis.publish('x', 'hello');
    await ear.heard('hello');
  });

  it.each(NEEDED.filter((command) => command !== 'auth' && command !== 'hello'))(
    'is named where %s is missing, and all the others with it',
    async (missing) => {
      const url = await user(
        'less',
        NEEDED.filter((command) => command !== missing),
      );
      const refusal = await refusalOf(url);
      expect(refusal).toContain(`Redis denied ${missing.toUpperCase()}`);
      expect(refusal).toContain('+hello +auth +info +replconf +psync');
      expect(refusal).not.toContain('pass-word');
    },
  );

  it.each([
    ['a wrong password', () => redis.urlAs('few', 'wrong-one')],
    ['an unknown user', () => redis.urlAs('nobody', 'wrong-one')],
    ['no password', () => redis.url],
  ])('is refused with %s, which is not shown', async (_what, url) => {
    const refusal = await refusalOf(url());
    expect(refusal).toContain('Redis refused the user or password of YAMABIKO_REDIS_URL');
    expect(refusal).not.toContain('wrong-one');
  });

  it('is taken up when it is given, without a restart', async () => {
    const ear = started(await user('later', ['hello', 'auth', 'info']));
    await until(() => ear.failed.length > 0, 'it is refused');
    await user('later', NEEDED);
    await ear.syncedTimes(1);
  });

  it('cannot be had from a replica, nor from Redis Cluster, and why is told', async () => {
    const others = await Promise.all([
      RedisServer.start([...AT_ONCE, '--replicaof', '127.0.0.1', '1']),
      RedisServer.start([...AT_ONCE, '--cluster-enabled', 'yes']),
    ]);
    try {
      const [ofReplica, ofCluster] = others.map(({ url }) => started(url));
      await until(() => ofReplica!.failed.length > 0 && ofCluster!.failed.length > 0, 'both are refused');
      expect(String(ofReplica!.failed[0])).toContain('this Redis is a replica');
      expect(ofCluster!.failed[0]).toBeInstanceOf(RedisRefusedError);
      expect(String(ofCluster!.failed[0])).toContain('Redis Cluster does not replicate what is published');
    } finally {
      for (const other of others) await other.stop();
    }
  });
});

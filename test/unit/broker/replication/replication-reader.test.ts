import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RedisRefusedError } from '../../../../server/broker/redis/redis-refused.ts';
import { encodeCommand } from '../../../../server/broker/replication/reply.ts';
import { Ear, type EarOptions } from '../../../support/replication-ear.ts';
import { until } from '../../../support/yamabiko.ts';
import { FakeMaster, infoOf, OTHER_REPLID, REPLID } from './fake-master.ts';

const publish = (payload: string) => ['PUBLISH', 'x', payload];
const bytesOf = (...commands: string[][]) =>
  commands.reduce((sum, command) => sum + encodeCommand(command).length, 0);
const MARK = 'm'.repeat(40);

describe('ReplicationReader', () => {
  let master: FakeMaster;
  let ear: Ear;
  beforeEach(async () => {
    master = await FakeMaster.start();
    ear = new Ear({ url: master.url });
  });
  afterEach(async () => {
    ear.reader.stop();
    await master.stop();
  });

  function listen(options: Partial<EarOptions>): Ear {
    ear = new Ear({ url: master.url, ...options });
    return ear;
  }

  it('introduces itself as a replica without port and data, and begins with what the master has', async () => {
    ear.reader.start(null);
    expect(await ear.syncedTimes(1)).toEqual({ replid: REPLID, offset: 100, continued: false });
    await master.send(publish('hello'));
    await ear.heard('hello');
    expect(ear.told).toEqual([{ name: 'x', payload: 'hello', offset: 100 + bytesOf(publish('hello')) }]);
    expect(master.commands).toEqual([
      'HELLO 2 SETNAME yamabiko-replication',
      'INFO replication',
      'REPLCONF listening-port -1',
      'REPLCONF capa eof capa psync2',
      'REPLCONF rdb-filter-only ',
      `PSYNC ${REPLID} 101`,
    ]);
  });

  it.each([
    ['told by its length', `\n\n+FULLRESYNC ${REPLID} 700\r\n\n\n$5\r\nREDIS`],
    ['up to its mark', `\n+FULLRESYNC ${REPLID} 700\r\n\n$EOF:${MARK}\r\nREDIS${MARK}`],
  ])('takes a full synchronisation %s, counts from there, and lets the stream begin', async (_how, text) => {
    master.answer('INFO', infoOf({ replid: REPLID, offset: 100, kept: false }));
    master.answer('PSYNC', text + encodeCommand(publish('first')));
    ear.reader.start(null);
    await ear.heard('first');
    expect(master.syncs).toEqual(['? -1']);
    expect(ear.synced).toEqual([{ replid: REPLID, offset: 700, continued: false }]);
    expect(ear.told[0]?.offset).toBe(700 + bytesOf(publish('first')));
    await until(() => master.acks > 0, 'the stream is asked to begin');
  });

  it('says that it did not go on where the master thinks otherwise than its INFO', async () => {
    master.answer('PSYNC', `+FULLRESYNC ${OTHER_REPLID} 700\r\n$0\r\n`);
    ear.reader.start({ replid: REPLID, offset: 50 });
    expect(await ear.syncedTimes(1)).toEqual({ replid: OTHER_REPLID, offset: 700, continued: false });
    expect(master.syncs).toEqual([`${REPLID} 51`]);
  });

  it('goes on after a cut behind the last whole command, whatever was half-way', async () => {
    ear.reader.start({ replid: REPLID, offset: 40 });
    await ear.syncedTimes(1);
    await master.send(publish('a'), ['PING']);
    const place = 40 + bytesOf(publish('a'), ['PING']);
    await until(() => ear.reader.place?.offset === place, 'all is read');
    await master.sendBytes(encodeCommand(publish('b')).slice(0, -3));
    master.cut();
    expect(await ear.syncedTimes(2)).toEqual({ replid: REPLID, offset: place, continued: true });
    await master.send(publish('b'));
    await ear.heard('b');
    expect(master.syncs).toEqual([`${REPLID} 41`, `${REPLID} ${place + 1}`]);
    expect(ear.story).toEqual(['goes on', 'a', 'lost', 'goes on', 'b']);
  });

  it('takes the new name of a history that a promoted master goes on with', async () => {
    master.answer('INFO', infoOf({ replid: OTHER_REPLID, offset: 400, earlier: `${REPLID} 301` }));
    master.answer('PSYNC', `+CONTINUE ${OTHER_REPLID}\r\n`);
    ear.reader.start({ replid: REPLID, offset: 300 });
    expect(await ear.syncedTimes(1)).toEqual({ replid: OTHER_REPLID, offset: 300, continued: true });
    expect(ear.reader.place).toEqual({ replid: OTHER_REPLID, offset: 300 });
    master.cut();
    await ear.syncedTimes(2);
    expect(master.syncs).toEqual([`${REPLID} 301`, `${OTHER_REPLID} 301`]);
  });

  it('goes on at a promoted master behind the last message, where the demoted one pinged on alone', async () => {
    ear.reader.start({ replid: REPLID, offset: 40 });
    await ear.syncedTimes(1);
    await master.send(publish('a'), ['PING'], ['PING']);
    const told = 40 + bytesOf(publish('a'));
    await until(() => ear.reader.place?.offset === told + bytesOf(['PING'], ['PING']), 'all is read');
    master.answer('INFO', infoOf({ replid: OTHER_REPLID, offset: 400, earlier: `${REPLID} ${told + 1}` }));
    master.answer('PSYNC', `+CONTINUE ${OTHER_REPLID}\r\n`);
    master.cut();
    expect(await ear.syncedTimes(2)).toEqual({ replid: OTHER_REPLID, offset: told, continued: true });
  });

  it('says that it did not go on where the demoted master had published something more', async () => {
    ear.reader.start({ replid: REPLID, offset: 40 });
    await ear.syncedTimes(1);
    await master.send(publish('a'), publish('only here'));
    await ear.heard('only here');
    const shared = 40 + bytesOf(publish('a'));
    master.answer('INFO', infoOf({ replid: OTHER_REPLID, offset: 400, earlier: `${REPLID} ${shared + 1}` }));
    master.cut();
    expect(await ear.syncedTimes(2)).toMatchObject({ replid: OTHER_REPLID, offset: 400, continued: false });
  });

  it('acknowledges when it is asked, besides each second, and always offset 0', async () => {
    ear.reader.start(null);
    await ear.syncedTimes(1);
    await until(() => master.acks >= 2, 'acknowledged by itself');
    const before = master.acks;
    await master.send(...Array.from({ length: 20 }, () => ['REPLCONF', 'GETACK', '*']));
    await until(() => master.acks >= before + 20, 'acknowledged when asked');
    expect(master.commands.filter((text) => text.includes('ACK'))).toEqual([]);
  });

  it('asks again from the same place what could not be read, and the second time begins now', async () => {
    ear.reader.start({ replid: REPLID, offset: 40 });
    await ear.syncedTimes(1);
    await master.send(publish('a'));
    const place = 40 + bytesOf(publish('a'));
    for (const times of [2, 3]) {
      await master.sendBytes('garbage\r\n');
      await ear.syncedTimes(times);
    }
    await master.send(publish('b'));
    await ear.heard('b');
    expect(master.syncs).toEqual([`${REPLID} 41`, `${REPLID} ${place + 1}`, `${REPLID} 101`]);
    expect(ear.story).toEqual(['goes on', 'a', 'lost', 'goes on', 'lost', 'begins', 'b']);
    expect(ear.lost[0]).toMatch(/^the replication stream holds/);
  });

  it.each([
    ['HELLO', 'HTTP/1.1 400 Bad Request\r\n', 'no answer of Redis'],
    ['HELLO', `$100000\r\n${'x'.repeat(70_000)}`, 'an answer has no end'],
    ['HELLO', '-LOADING Redis is loading the dataset in memory\r\n', 'LOADING'],
    ['INFO', infoOf({ replid: REPLID, offset: 1, role: 'slave' }), 'this Redis is a replica'],
    ['PSYNC', "-NOMASTERLINK Can't SYNC while not connected with my master\r\n", 'NOMASTERLINK'],
    ['PSYNC', '+WHAT\r\n', 'WHAT'],
    ['PSYNC', `+FULLRESYNC ${REPLID} 700\r\n+OK\r\n`, 'data set'],
  ])('tries on where %s is answered %j, tells why, and keeps its place', async (command, text, reason) => {
    master.answer(command, text);
    ear.reader.start({ replid: REPLID, offset: 40 });
    await until(() => ear.failed.length >= 3, 'three attempts have failed', 30_000);
    for (const error of ear.failed) expect(error.message).toContain(reason);
    expect(ear.lost).toEqual([]);
    expect(ear.synced).toEqual([]);
    master.answer(command, master.defaultAnswer(command));
    expect(await ear.syncedTimes(1)).toEqual({ replid: REPLID, offset: 40, continued: true });
  });

  it('names what is wanting where a Redis is too old to leave its data out', async () => {
    master.answer('REPLCONF rdb-filter-only ', '-ERR Unrecognized REPLCONF option: rdb-filter-only\r\n');
    ear.reader.start(null);
    await until(() => ear.failed.length > 0, 'it has failed');
    expect(master.syncs).toEqual([]);
    expect(ear.failed[0]).toBeInstanceOf(RedisRefusedError);
    expect(ear.failed[0]?.message).toContain('older than 7.0');
  });

  it('leaves a master that says nothing, while it begins and after', async () => {
    const silent = listen({ silenceMs: 1000, commandTimeoutMs: 500 });
    master.answer('HELLO', '');
    silent.reader.start({ replid: REPLID, offset: 40 });
    await until(() => silent.failed.length > 0, 'given up');
    expect(silent.failed[0]?.message).toContain('Redis said nothing');
    master.answer('HELLO', master.defaultAnswer('HELLO'));
    await silent.syncedTimes(1);
    await until(() => silent.lost.length > 0, 'lost');
    expect(silent.lost[0]).toContain('Redis said nothing');
    expect(await silent.syncedTimes(2)).toMatchObject({ offset: 40, continued: true });
  });

  it('tells nothing once it is stopped, and can be started from where it stood', async () => {
    ear.reader.start({ replid: REPLID, offset: 40 });
    await ear.syncedTimes(1);
    await master.send(publish('a'));
    await ear.heard('a');
    ear.reader.stop();
    const { place } = ear.reader;
    expect(place).toEqual({ replid: REPLID, offset: 40 + bytesOf(publish('a')) });
    expect(ear.reader.synced).toBe(false);
    ear.reader.start(place);
    expect(await ear.syncedTimes(2)).toEqual({ ...place, continued: true });
    expect(ear.story).toEqual(['goes on', 'a', 'goes on']);
  });

  it('leaves a connection that somebody else knows to be dead', async () => {
    ear.reader.start({ replid: REPLID, offset: 40 });
    await ear.syncedTimes(1);
    ear.reader.reconnect('the master is elsewhere');
    await ear.syncedTimes(2);
    expect(ear.lost).toEqual(['the master is elsewhere']);
  });

  it('takes Redis Cluster for what it cannot read', async () => {
    master.answer('HELLO', '*2\r\n$4\r\nmode\r\n$7\r\ncluster\r\n');
    ear.reader.start(null);
    await until(() => ear.failed.length > 0, 'it has failed');
    expect(ear.failed[0]).toBeInstanceOf(RedisRefusedError);
    expect(ear.failed[0]?.message).toContain('Redis Cluster does not replicate what is published');
  });
});

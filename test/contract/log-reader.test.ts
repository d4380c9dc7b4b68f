import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LogNames } from '../../server/broker/log/log-names.ts';
import { LogReader } from '../../server/broker/log/log-reader.ts';
import { RedisConnections } from '../../server/broker/redis/redis-connections.ts';
import type { Position } from '../../server/domain/position.ts';
import { RedisServer } from '../support/redis-server.ts';
import { until } from '../support/yamabiko.ts';
import { quietLog } from './heard.ts';

/** Longer than a turn of deliveries may take before it is worth gathering. */
const DEAR_MS = 10;

/** Sockets are written once a turn: how many turns a crowd of broadcasts is divided into is what a fan-out costs. */
describe('The turns of the log reader', () => {
  let redis: RedisServer;
  let connections: RedisConnections;
  let reader: LogReader;
  let names: LogNames;
  /** Which entries each turn delivered. */
  let turns: number[][];
  let turnMs: number;
  let heardBeyond: (place: Position) => boolean;

  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis.stop());

  beforeEach(async () => {
    const prefix = `${randomUUID()}:`;
    const log = quietLog();
    const settings = { url: redis.url, prefix, broadcastPrefix: prefix, commandTimeoutMs: 2000 };
    connections = new RedisConnections({ settings, log });
    names = new LogNames(settings);
    turns = [];
    turnMs = DEAR_MS;
    heardBeyond = () => false;
    let now: number[] | null = null;
    reader = new LogReader({
      connections,
      names,
      log,
      onStart: () => {},
      onEntry: ({ at }) => {
        if (now === null) {
          now = [];
          turns.push(now);
          setImmediate(() => {
            now = null;
          });
        }
        now.push(at.index);
        for (const endMs = performance.now() + turnMs; performance.now() < endMs; );
      },
      onHole: () => {},
      onHandover: () => {},
      onForeign: () => {},
      heardAfter: () => [],
      heardBeyond: (place) => heardBeyond(place),
    });
    await connections.open();
    await append(1);
    await reader.begin();
    turns.splice(0);
  });
  afterEach(() => {
    reader.stop();
    connections.close();
  });

  const append = (index: number) => redis.client.xadd(names.stream, `1-${index}`, 'c', 'a', 'd', 'x');
  /** On the reader's own connection, so that Redis executes it before what the reader asks next. */
  const appendFirst = (index: number) =>
    connections.subscriber.xadd(names.stream, `1-${index}`, 'c', 'a', 'd', 'x');
  const read = (index: number) => until(() => reader.place.index >= index, `entry ${index} is read`);

  it('take what was heard and is just being appended along, where a turn is dear', async () => {
    await append(2);
    await read(2);
    heardBeyond = ({ index }) => {
      if (index === 3) void appendFirst(4);
      return index === 3;
    };
    await append(3);
    await read(4);
    expect(turns).toEqual([[2], [3, 4]]);
  });

  it('wait for nothing where a turn is cheap', async () => {
    turnMs = 0;
    let asked = 0;
    heardBeyond = () => ++asked === 0;
    for (let index = 2; index < 20; index++) {
      await append(index);
      await read(index);
    }
    expect(turns.flat()).toEqual(Array.from({ length: 18 }, (_, at) => at + 2));
    // Now and then a machine is so busy that a turn is dear all the same.
    expect(asked).toBeLessThan(9);
  });

  it('go on by themselves where what was heard is not appended', async () => {
    heardBeyond = () => true;
    await append(2);
    await read(2);
    await append(3);
    await read(3);
    await append(4);
    await read(4);
    expect(turns).toEqual([[2], [3], [4]]);
  });
});

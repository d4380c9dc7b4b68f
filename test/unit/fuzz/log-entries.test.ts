import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LogNames } from '../../../server/broker/log/log-names.ts';
import { type LogEntry, LogReader } from '../../../server/broker/log/log-reader.ts';
import type { RedisConnections } from '../../../server/broker/redis/redis-connections.ts';
import { comparePositions } from '../../../server/domain/position.ts';
import { bytes, holdsForAsync, text } from './fuzz.ts';

/** Entries as Redis gives them: any that somebody else may have written into the stream. */
const id = fc.oneof(
  fc.tuple(fc.nat(20), fc.nat(20)).map((parts) => parts.join('-')),
  fc.constantFrom('18446744073709551615-18446744073709551615', '0-1', '99999999999999999-1'),
);
const fields = fc.oneof(
  fc.tuple(text, bytes).map(([name, payload]) => ['c', name, 'd', payload]),
  fc.array(fc.oneof(text, bytes), { maxLength: 6 }),
  fc.constant(null),
);
const entry = fc
  .tuple(id, fields)
  .map(([at, pairs]) => [Buffer.from(at), pairs?.map((one) => Buffer.from(one as string)) ?? null] as const);
type Entry = typeof entry extends fc.Arbitrary<infer E> ? E : never;

/** A Redis whose stream holds these, some before this node came and some after. */
class StrangeRedis {
  status = 'ready';
  readonly #before: readonly Entry[];
  #after: readonly Entry[] | null;
  #read: () => void = () => {};
  readonly readAll = new Promise<void>((resolve) => {
    this.#read = resolve;
  });
  readonly #head: readonly (string | null)[];

  constructor(before: readonly Entry[], after: readonly Entry[], head: readonly (string | null)[]) {
    this.#before = before;
    this.#after = after;
    this.#head = head;
  }

  async callBuffer(command: string, _stream: string, from: string): Promise<readonly Entry[]> {
    if (command === 'XREVRANGE') return this.#before.slice(-1);
    if (from.startsWith('(')) return [];
    return this.#before;
  }

  async hmget(): Promise<readonly (string | null)[]> {
    return this.#head;
  }

  async xreadBuffer(): Promise<unknown> {
    const after = this.#after;
    this.#after = null;
    if (after !== null) return after.length === 0 ? null : [[Buffer.from(names.stream), after]];
    this.status = 'end';
    this.#read();
    throw new Error('the connection ended');
  }
}

const names = new LogNames({ prefix: 'p_', broadcastPrefix: 'p_' });

test('whatever stands in the log is given in order, or told as foreign or as a hole', async () => {
  const head = fc.tuple(fc.option(text), fc.option(text));
  const entries = fc.array(entry, { maxLength: 8 });
  await holdsForAsync(
    fc.tuple(entries, entries, head),
    async ([before, after, stands]) => {
      const given: LogEntry[] = [];
      let told = 0;
      const redis = new StrangeRedis(before, after, stands);
      const reader = new LogReader({
        connections: { subscriber: redis, settings: { commandTimeoutMs: 2 } } as unknown as RedisConnections,
        names,
        log: { info: () => {}, warn: () => {}, error: () => {} },
        onStart: () => {},
        onEntry: (one) => given.push(one),
        onHole: () => told++,
        onHandover: () => {},
        heardAfter: () => [],
        heardBeyond: () => false,
        onForeign: () => told++,
      });
      await reader.begin();
      await redis.readAll;
      reader.stop();
      const whole = [...before, ...after].filter(
        ([, pairs]) => pairs?.length === 4 && String(pairs[0]) === 'c' && String(pairs[2]) === 'd',
      );
      expect(given.length).toBeLessThanOrEqual(whole.length);
      expect(given.length + told).toBeGreaterThanOrEqual(before.length + after.length === 0 ? 0 : 1);
      for (const [i, one] of given.entries()) {
        const next = given[i + 1];
        // Redis itself gives them in the order of their ids; where these are in none, a hole was told between.
        if (next !== undefined && comparePositions(one.at, next.at) >= 0) expect(told).toBeGreaterThan(0);
      }
    },
    400,
  );
});

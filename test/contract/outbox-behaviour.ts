import { expect, it } from 'vitest';
import { LANES, laneOf, type Outbox, type OutboxBounds } from '../../server/broker/outbox/outbox.ts';

export interface OutboxCase {
  readonly name: string;
  open(bounds: OutboxBounds): Promise<Outbox>;
}

const BOUNDS: OutboxBounds = { maxEntries: 1_000, maxBytes: 4_000_000, maxBuried: 3 };
const LANE = laneOf('chat:1');

/** What every outbox does. */
export function outboxBehaviour({ open }: OutboxCase): void {
  const say = (outbox: Outbox, n: number) => outbox.tell({ order: 'chat:1', json: `{"n":${n}}` });
  const jsons = (entries: readonly { json: string }[] | undefined) => entries?.map(({ json }) => json);

  it('gives what was told in order, as often as it is asked, with the same ids, until it is done', async () => {
    const outbox = await open(BOUNDS);
    for (let n = 0; n < 25; n++) await say(outbox, n);
    const first = await outbox.take(LANE, 22);
    expect(jsons(first?.entries)).toEqual(Array.from({ length: 22 }, (_, n) => `{"n":${n}}`));
    expect(first).toMatchObject({ waiting: 25, dropped: 0 });
    expect((await outbox.take(LANE, 22))?.entries).toEqual(first?.entries);
    expect(new Set(first?.entries.map(({ id }) => id)).size).toBe(22);
    await outbox.done(LANE, first?.entries.map(({ place }) => place) ?? []);
    expect(jsons((await outbox.take(LANE, 22))?.entries)).toEqual(['{"n":22}', '{"n":23}', '{"n":24}']);
  });

  it('keeps one order in one lane, and other lanes apart', async () => {
    const outbox = await open(BOUNDS);
    const elsewhere =
      Array.from({ length: 50 }, (_, n) => `room:${n}`).find((name) => laneOf(name) !== LANE) ?? '';
    await say(outbox, 1);
    await outbox.tell({ order: elsewhere, json: '{}' });
    expect((await outbox.take(LANE, 10))?.entries).toHaveLength(1);
    expect((await outbox.take(laneOf(elsewhere), 10))?.entries[0]).toMatchObject({ order: elsewhere });
  });

  it('drops the oldest beyond its entries, and tells once how many', async () => {
    const outbox = await open({ ...BOUNDS, maxEntries: 5 * LANES });
    for (let n = 0; n < 8; n++) await say(outbox, n);
    const taken = await outbox.take(LANE, 10);
    expect(jsons(taken?.entries)).toEqual([3, 4, 5, 6, 7].map((n) => `{"n":${n}}`));
    expect(taken).toMatchObject({ dropped: 3, waiting: 5 });
    expect(await outbox.take(LANE, 10)).toMatchObject({ dropped: 0 });
  });

  it('drops the oldest beyond its bytes, but never the only one', async () => {
    const outbox = await open({ ...BOUNDS, maxBytes: 3_000 * LANES });
    const long = (n: number) => `{"n":${n},"text":"${'x'.repeat(1_300)}"}`;
    for (let n = 0; n < 4; n++) await outbox.tell({ order: 'chat:1', json: long(n) });
    expect(jsons((await outbox.take(LANE, 10))?.entries)).toEqual([long(2), long(3)]);
    const huge = `{"text":"${'x'.repeat(9_000)}"}`;
    await outbox.tell({ order: 'chat:1', json: huge });
    const taken = await outbox.take(LANE, 10);
    expect(jsons(taken?.entries)).toEqual([huge]);
    // What is done makes room again.
    await outbox.done(LANE, taken?.entries.map(({ place }) => place) ?? []);
    for (let n = 0; n < 2; n++) await outbox.tell({ order: 'chat:1', json: long(n) });
    expect(await outbox.take(LANE, 10)).toMatchObject({ dropped: 0, waiting: 2 });
  });

  it('keeps buried ones apart, with the reason, and puts back those that are named, or all', async () => {
    const outbox = await open(BOUNDS);
    for (let n = 0; n < 5; n++) await say(outbox, n);
    const taken = await outbox.take(LANE, 5);
    for (const { place } of taken?.entries ?? []) await outbox.bury(LANE, [place], 'status 422');
    const { waiting, buriedCount, buried } = await outbox.look(10);
    expect({ waiting, buriedCount }).toEqual({ waiting: 0, buriedCount: 3 });
    expect(buried.map(({ json, reason }) => `${json} ${reason}`)).toEqual(
      [4, 3, 2].map((n) => `{"n":${n}} status 422`),
    );
    expect(await outbox.replay([taken?.entries[3]?.id ?? ''])).toBe(1);
    const [back] = (await outbox.take(LANE, 5))?.entries ?? [];
    expect(back).toMatchObject({ id: taken?.entries[3]?.id, json: '{"n":3}', atMs: taken?.entries[3]?.atMs });
    expect(await outbox.replay(null)).toBe(2);
    expect(jsons((await outbox.take(LANE, 5))?.entries)).toEqual(['{"n":3}', '{"n":2}', '{"n":4}']);
    expect(await outbox.look(10)).toMatchObject({ buriedCount: 0, buried: [] });
  });
}

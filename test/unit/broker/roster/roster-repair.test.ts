import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { OwnSeats } from '../../../../server/broker/roster/own-seats.ts';
import type { RosterDates } from '../../../../server/broker/roster/roster-dates.ts';
import type { RosterFaults } from '../../../../server/broker/roster/roster-faults.ts';
import type { RosterLease } from '../../../../server/broker/roster/roster-lease.ts';
import { RosterRepair, type RosterRepairOptions } from '../../../../server/broker/roster/roster-repair.ts';
import { RosterUpkeep } from '../../../../server/broker/roster/roster-upkeep.ts';
import { createMember } from '../../../../server/domain/member.ts';
import { quietLog } from '../../../contract/heard.ts';

const member = createMember({ userIdJson: '1', socketId: '1.1' });

/** A store whose rooms fail as the test says, and that remembers what was asked of it. */
class FakeStore {
  readonly reconciled: string[] = [];
  readonly scheduled: string[] = [];
  readonly forgotten: string[] = [];
  readonly listed = new Map<string, string[]>();
  ended: string[] = [];
  holds = true;
  nextMs: number | null = null;
  swept = 0;
  renewals = 0;
  readonly #failing = new Map<string, number>();
  onReconcile: (room: string) => void = () => {};
  lingering = false;

  /** The next so many tries to put a room right fail. */
  fail(room: string, times: number): void {
    this.#failing.set(room, times);
  }

  async reconcile(room: string) {
    this.reconciled.push(room);
    this.onReconcile(room);
    const times = this.#failing.get(room) ?? 0;
    this.#failing.set(room, times - 1);
    if (times > 0) throw new Error(`${room} is refused`);
    return { owners: [], nextMs: this.lingering ? 7 : null };
  }

  /** What was put right since the last call, in no order. */
  taken(): string[] {
    return this.reconciled.splice(0).sort();
  }
}

describe("the roster's repair", () => {
  let store: FakeStore;
  let own: OwnSeats;
  let repair: RosterRepair;
  let upkeep: RosterUpkeep;
  let restored: number;

  beforeEach(() => {
    store = new FakeStore();
    own = new OwnSeats();
    restored = 0;
    const lease = {
      name: 'node|0',
      nodePrefix: 'node|',
      field: (id: string) => `node|0|${id}`,
      list: async () => {},
      unlist: async () => {},
      keepList: async () => {},
      listed: async (name = 'node|0') => store.listed.get(name) ?? [],
      forget: async (name: string) => void store.forgotten.push(name),
      vouch: async () => 'holds',
      renew: async () => {
        store.renewals++;
        const { holds } = store;
        store.holds = true;
        return { holds, ended: store.ended, nextMs: store.nextMs };
      },
      beginGeneration: () => {},
    } as unknown as RosterLease;
    const dates = {
      schedule: async (_redis: unknown, room: string) => void store.scheduled.push(room),
      sweep: async () => void store.swept++,
      stop: () => {},
    } as unknown as RosterDates;
    const options = {
      connections: { call: (run: (redis: null) => unknown) => run(null) },
      lease,
      own,
      dates,
      room: (name: string) => ({ reconcile: () => store.reconcile(name) }),
      faults: {} as RosterFaults,
      graceMs: 1_000,
      log: quietLog(),
    } as unknown as RosterRepairOptions;
    repair = new RosterRepair(options);
    upkeep = new RosterUpkeep({
      lease,
      repair,
      dates,
      rooms: () => own.rooms(),
      roundMs: 60_000,
      log: quietLog(),
    });
    upkeep.onRestored = () => restored++;
  });

  it('puts a doubtful room right once', async () => {
    repair.doubt('left');
    await upkeep.round();
    await upkeep.round();
    expect(store.taken()).toEqual(['left']);
  });

  it('keeps the doubt about a room that could not be put right', async () => {
    repair.doubt('left');
    store.fail('left', 2);
    await expect(upkeep.round()).rejects.toThrow('left is refused');
    await expect(upkeep.round()).rejects.toThrow('left is refused');
    await upkeep.round();
    await upkeep.round();
    expect(store.taken()).toEqual(['left', 'left', 'left']);
  });

  it('keeps a doubt that arises while its room is being put right', async () => {
    repair.doubt('left');
    store.onReconcile = (room) => {
      store.onReconcile = () => {};
      repair.doubt(room);
    };
    await upkeep.round();
    expect(store.taken()).toEqual(['left']);
    await upkeep.round();
    expect(store.taken()).toEqual(['left']);
  });

  it('looks at doubtful rooms too where everything is looked at', async () => {
    own.add('held', { id: 's', member });
    repair.doubt('left');
    store.listed.set('node|0', ['listed', 'held']);
    await upkeep.restore();
    expect(store.taken()).toEqual(['held', 'left', 'listed']);
    await upkeep.round();
    expect(store.taken()).toEqual(['held']);
  });

  it('is told once that all is restored, and only when it is', async () => {
    own.add('held', { id: 's', member });
    store.holds = false;
    store.fail('held', 1);
    await expect(upkeep.round()).rejects.toThrow('held is refused');
    expect(restored).toBe(0);
    expect(upkeep.restoring).toBe(true);
    await upkeep.round();
    await upkeep.round();
    expect(restored).toBe(1);
    expect(upkeep.restoring).toBe(false);
  });

  it('goes on with the other rooms, nodes and dates when one room is refused', async () => {
    for (const room of ['a', 'b', 'c']) repair.doubt(room);
    store.fail('a', 1);
    store.ended = ['dead|0', 'gone|0'];
    store.listed.set('dead|0', ['theirs']);
    await expect(upkeep.round()).rejects.toThrow('a is refused');
    expect(store.taken()).toEqual(['a', 'b', 'c', 'theirs']);
    expect(store.forgotten).toEqual(['dead|0', 'gone|0']);
    expect(store.swept).toBe(1);
  });

  it('keeps the lease of a dead node until all its seats are gone', async () => {
    store.ended = ['dead|0'];
    store.listed.set('dead|0', ['theirs', 'others']);
    store.fail('theirs', 1);
    await expect(upkeep.round()).rejects.toThrow('theirs is refused');
    expect(store.forgotten).toEqual([]);
    await upkeep.round();
    expect(store.forgotten).toEqual(['dead|0']);
  });

  it('looks at the end of a lease, not only in its next round', async () => {
    store.nextMs = 30;
    store.ended = [];
    await upkeep.round();
    store.nextMs = null;
    store.ended = ['dead|0'];
    await vi.waitFor(() => expect(store.forgotten).toEqual(['dead|0']));
    expect(store.renewals).toBe(2);
  });

  it('looks at nothing any more when it has stopped', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    store.nextMs = 30;
    await upkeep.start();
    await vi.advanceTimersByTimeAsync(40);
    expect(store.renewals).toBe(2);
    await upkeep.stop();
    await vi.advanceTimersByTimeAsync(200_000);
    expect(store.renewals).toBe(2);
  });

  it('compares every room in the course of some rounds, a few in each', async () => {
    for (let i = 0; i < 50; i++) own.add(`r${i}`, { id: 's', member });
    await upkeep.round();
    expect(store.reconciled).toHaveLength(20);
    await upkeep.round();
    await upkeep.round();
    expect(new Set(store.taken()).size).toBe(50);
  });

  it('compares fewer rooms where they are large', async () => {
    for (const room of ['big', 'small', 'third']) own.add(room, { id: 's', member });
    for (let i = 0; i < 500; i++) own.add('big', { id: `s${i}`, member });
    await upkeep.round();
    expect(store.taken()).toEqual(['big']);
    await upkeep.round();
    expect(store.taken()).toEqual(['big', 'small', 'third']);
  });

  it('compares a very large room only once in some rounds', async () => {
    for (let i = 0; i < 1_500; i++) own.add('huge', { id: `s${i}`, member });
    for (let i = 0; i < 9; i++) await upkeep.round();
    expect(store.taken()).toEqual(['huge', 'huge', 'huge']);
  });

  it('sets a date where somebody lingers in a room that it looked at', async () => {
    store.lingering = true;
    repair.doubt('left');
    await upkeep.round();
    expect(store.scheduled).toEqual(['left']);
  });
});

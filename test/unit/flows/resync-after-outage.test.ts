import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RosterSnapshot } from '../../../server/broker/roster/roster.ts';
import type { Broadcast } from '../../../server/domain/broadcast.ts';
import { createMember, type Member } from '../../../server/domain/member.ts';
import { UnavailableError } from '../../../server/domain/outcome.ts';
import type { Parts } from '../../../server/flows/parts.ts';
import { OutageResync } from '../../../server/flows/resync-after-outage.ts';
import { RoomViews } from '../../../server/hub/room-views.ts';

const NODE_TTL_MS = 10_000;
const AWAY = 'Redis is away: not ready, and commands are refused';
const BACK = 'Redis is back: ready, and members are back';
const user = (id: number): Member => createMember({ userIdJson: String(id), socketId: `${id}.${id}` });
const [ada, bob, eve] = [user(1), user(2), user(3)];

/** A roster of which the test says what it answers, and what clients of a node are told. */
class Node {
  readonly told: string[] = [];
  readonly log: string[] = [];
  readonly views = new RoomViews();
  restores = 0;
  restore: () => Promise<void> = async () => {};
  members: (room: string) => Promise<RosterSnapshot> = async () => ({ revision: 0, members: [] });
  readonly resync: OutageResync;

  constructor() {
    const write = (_fields: object, message: string) => void this.log.push(message);
    const parts = {
      views: this.views,
      roster: {
        restore: () => {
          this.restores++;
          return this.restore();
        },
        members: (room: string) => this.members(room),
      },
      bus: { position: () => null },
      hub: {
        deliver: (wire: string, _kinds: unknown, { type, member }: Broadcast & { member: Member }) =>
          void this.told.push(`${member.userId} ${type} ${wire}`),
      },
      channels: { of: () => ({ definition: { echo: false } }) },
      meters: { broadcast: () => {} },
      log: { debug: write, info: write, warn: write, error: write },
      settings: { nodeTtlMs: NODE_TTL_MS },
    };
    this.resync = new OutageResync(parts as unknown as Parts);
  }

  shows(room: string, revision: number, ...members: Member[]) {
    const view = this.views.acquire(room);
    view.begin({ revision, members });
    return view;
  }

  holds(revision: number, ...members: Member[]): void {
    this.members = async () => ({ revision, members });
  }
}

describe('after an outage', () => {
  let node: Node;
  beforeEach(() => {
    vi.useFakeTimers();
    node = new Node();
  });
  afterEach(() => {
    node.resync.stop();
    vi.useRealTimers();
  });

  it('a node is in step only when its seats are entered again and its rooms compared', async () => {
    node.shows('room', 5, ada);
    const steps: string[] = [];
    let answer: (snapshot: RosterSnapshot) => void = () => {};
    node.restore = async () => void steps.push('restored');
    node.members = () => {
      steps.push('asked');
      return new Promise((resolve) => {
        answer = resolve;
      });
    };
    expect(node.resync.synced).toBe(true);
    node.resync.outage();
    expect(node.resync.synced).toBe(false);
    const back = node.resync.back();
    await vi.advanceTimersByTimeAsync(0);
    expect(steps).toEqual(['restored', 'asked']);
    expect(node.resync.synced).toBe(false);
    answer({ revision: 9, members: [ada, bob] });
    await back;
    expect(node.resync.synced).toBe(true);
    expect(node.told).toEqual(['2 joined room']);
  });

  it('who is missing is shown leaving within 1.5 leases, not at once, and nobody who came back', async () => {
    node.shows('room', 5, ada, bob);
    node.holds(9);
    node.resync.outage();
    await node.resync.back();
    await vi.advanceTimersByTimeAsync(NODE_TTL_MS);
    expect(node.told).toEqual([]);
    node.holds(10, bob);
    await vi.advanceTimersByTimeAsync(0.5 * NODE_TTL_MS);
    expect(node.told).toEqual(['1 left room']);
  });

  it('who is missing is not shown leaving while the next outage lasts, and its end counts anew', async () => {
    node.shows('room', 5, ada);
    node.holds(9);
    node.resync.outage();
    await node.resync.back();
    await vi.advanceTimersByTimeAsync(NODE_TTL_MS);
    node.resync.outage();
    await vi.advanceTimersByTimeAsync(5 * NODE_TTL_MS);
    expect(node.told).toEqual([]);
    await node.resync.back();
    await vi.advanceTimersByTimeAsync(NODE_TTL_MS);
    expect(node.told).toEqual([]);
    await vi.advanceTimersByTimeAsync(0.5 * NODE_TTL_MS);
    expect(node.told).toEqual(['1 left room']);
  });

  it('what the bus still brings is told by the bus, in its place', async () => {
    const view = node.shows('room', 5, ada);
    node.holds(7, ada, bob);
    // The store had lost this node, but the bus was never away.
    const back = node.resync.back();
    await vi.advanceTimersByTimeAsync(100);
    expect(node.told).toEqual([]);
    expect(view.apply({ type: 'joined', revision: 7, member: bob })).toBe(true);
    await back;
    await vi.advanceTimersByTimeAsync(2 * NODE_TTL_MS);
    expect(node.told).toEqual([]);
  });

  it('what the bus has lost is told all the same', async () => {
    node.shows('room', 5, ada);
    node.holds(7, ada, bob);
    void node.resync.back();
    await vi.advanceTimersByTimeAsync(0.25 * NODE_TTL_MS);
    expect(node.told).toEqual(['2 joined room']);
  });

  it('a roster that fails is tried again until it is put right', async () => {
    node.shows('room', 5);
    node.holds(9, ada);
    let failures = 3;
    node.restore = async () => {
      if (failures-- > 0) throw new UnavailableError('a timeout');
    };
    node.resync.outage();
    const back = node.resync.back();
    await vi.advanceTimersByTimeAsync(5_000);
    await back;
    expect(node.restores).toBe(4);
    expect(node.resync.synced).toBe(true);
    expect(node.told).toEqual(['1 joined room']);
    expect(node.log).toEqual([AWAY, BACK]);
  });

  it('a fault of our own is logged, and tried again too', async () => {
    let failures = 1;
    node.restore = async () => {
      if (failures-- > 0) throw new TypeError('a fault');
    };
    const back = node.resync.back();
    await vi.advanceTimersByTimeAsync(1_000);
    await back;
    expect(node.log).toEqual(['putting the rooms right failed, trying again']);
  });

  it('a leaver is shown leaving also where the roster fails at that moment', async () => {
    node.shows('room', 5, ada);
    node.holds(9);
    node.resync.outage();
    await node.resync.back();
    let failures = 2;
    node.members = async () => {
      if (failures-- > 0) throw new UnavailableError('a timeout');
      return { revision: 9, members: [] };
    };
    await vi.advanceTimersByTimeAsync(2 * NODE_TTL_MS);
    expect(node.told).toEqual(['1 left room']);
  });

  it('a snapshot that an announcement has overtaken is asked for again', async () => {
    const view = node.shows('room', 5);
    const snapshots: RosterSnapshot[] = [
      { revision: 9, members: [ada] },
      { revision: 10, members: [ada, bob] },
    ];
    node.members = async () => {
      const snapshot = snapshots.shift() ?? { revision: 0, members: [] };
      if (snapshot.revision === 9) view.apply({ type: 'joined', revision: 10, member: bob });
      return snapshot;
    };
    await node.resync.back();
    expect(node.told).toEqual(['1 joined room']);
    expect(snapshots).toEqual([]);
  });

  it('a room that never stands still does not keep the node from being ready', async () => {
    const view = node.shows('room', 5);
    let revision = 10;
    node.members = async () => {
      view.apply({ type: revision % 2 === 0 ? 'joined' : 'left', revision: ++revision, member: bob });
      return { revision: revision - 1, members: [] };
    };
    node.resync.outage();
    await node.resync.back();
    expect(node.resync.synced).toBe(true);
    expect(node.log).toEqual([AWAY, 'a room changes faster than it can be compared with the roster', BACK]);
  });

  it('each outage is told once, and once that it is over', async () => {
    for (let round = 0; round < 2; round++) {
      node.resync.outage();
      node.resync.outage();
      await node.resync.back();
      await node.resync.back();
    }
    expect(node.log).toEqual([AWAY, BACK, AWAY, BACK]);
  });

  it('what an earlier return still has in hand is void after the next outage', async () => {
    node.shows('room', 5);
    let answer: (snapshot: RosterSnapshot) => void = () => {};
    node.members = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const back = node.resync.back();
    await vi.advanceTimersByTimeAsync(0);
    node.resync.outage();
    answer({ revision: 9, members: [eve] });
    await back;
    expect(node.told).toEqual([]);
    expect(node.resync.synced).toBe(false);
  });

  it('a roster that finds its loss while it restores begins the comparison anew, once', async () => {
    node.shows('room', 5);
    node.holds(9, ada);
    let found = false;
    let again: Promise<void> | undefined;
    node.restore = async () => {
      if (found) return;
      found = true;
      again = node.resync.back();
    };
    node.resync.outage();
    await node.resync.back();
    await again;
    expect(node.restores).toBe(2);
    expect(node.told).toEqual(['1 joined room']);
    expect(node.resync.synced).toBe(true);
  });

  it('three hundred rooms are all compared, those that are left meanwhile not told', async () => {
    for (let i = 0; i < 300; i++) node.shows(`room${i}`, 5);
    node.members = async (room) => {
      if (room === 'room0') node.views.release('room299');
      return { revision: 9, members: [ada] };
    };
    node.resync.outage();
    await node.resync.back();
    expect(node.told).toHaveLength(299);
    expect(new Set(node.told).size).toBe(299);
  });

  it('nothing happens any more when the server has stopped', async () => {
    node.shows('room', 5, ada);
    node.holds(9);
    node.resync.outage();
    await node.resync.back();
    node.resync.stop();
    await vi.advanceTimersByTimeAsync(10 * NODE_TTL_MS);
    await node.resync.back();
    expect(node.told).toEqual([]);
    expect(node.restores).toBe(1);
  });
});

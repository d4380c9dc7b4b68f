import { describe, expect, it, vi } from 'vitest';
import type { Resumption } from '../../../server/broker/bus/bus.ts';
import { Connection } from '../../../server/connection/connection.ts';
import type { JoinOutcome } from '../../../server/flows/arrival.ts';
import { Homecoming } from '../../../server/flows/homecoming.ts';
import { joinChannel } from '../../../server/flows/join-channel.ts';
import type { Parts } from '../../../server/flows/parts.ts';
import { NO_OCCUPANCY } from '../../../server/flows/tell-occupancy.ts';
import { Hub } from '../../../server/hub/hub.ts';
import { RoomViews } from '../../../server/hub/room-views.ts';
import { CONNECTION_SETTINGS } from '../connection-settings.ts';

/** @param duringEnter what happens to the bus while the roster is asked */
async function join(
  duringEnter: (views: RoomViews) => { ready: boolean },
  homecomingOf: (parts: Parts, connection: Connection) => Homecoming | undefined = () => undefined,
) {
  let ready = true;
  const hub = new Hub({ delivered: () => {}, dropped: () => {} } as never);
  const views = new RoomViews();
  const grant = { ok: true, kind: 'token', by: 'token', expiresAtMs: null, user: { userIdJson: '1' } };
  const parts = {
    reserved: { redisPrefix: '', names: new Set<string>() },
    channels: { of: () => ({ definition: { clientSend: true, users: true, echo: true }, explicit: true }) },
    access: { decide: async ({ channel }: { channel: object }) => ({ ...grant, channel }) },
    bus: {
      ready: () => ready,
      follow: vi.fn(async () => {}),
      unfollow: vi.fn(),
      resume: async ({ live }: Resumption) => live([], { complete: false, position: null }),
    },
    roster: {
      enter: async (_room: string, { member }: { member: object }) => {
        ready = duringEnter(views).ready;
        return { revision: 1, members: [member] };
      },
      leave: vi.fn(async () => {}),
    },
    hub,
    views,
    occupancy: NO_OCCUPANCY,
    meters: { subscribed: vi.fn() },
    settings: { commandTimeoutMs: 1_000, maxSubscriptions: 10, authCost: 3, maxMemberBytes: 1_000 },
  };
  const transport = {
    write: vi.fn(),
    bufferedBytes: () => 0,
    flush: () => {},
    revoked: vi.fn(),
    close: vi.fn(),
  };
  const connection = new Connection({ name: 'test', deliver: vi.fn() }, transport, CONNECTION_SETTINGS);
  const outcomes: JoinOutcome[] = [];
  const request = { channel: 'chat:1', auth: {}, handshake: {} as never };
  const answer = (outcome: JoinOutcome) => void outcomes.push(outcome);
  const homecoming = homecomingOf(parts as unknown as Parts, connection);
  await joinChannel(
    parts as unknown as Parts,
    connection,
    { ...request, ...(homecoming === undefined ? {} : { homecoming }) },
    { answer },
  );
  return { parts, connection, outcomes };
}

describe('joining a channel', () => {
  it('goes live where the bus hears all the while', async () => {
    const { parts, connection, outcomes } = await join(() => ({ ready: true }));
    expect(outcomes).toMatchObject([{ ok: true }]);
    expect(parts.hub.counts().get('chat:1')).toBe(1);
    connection.subscriptions.get('chat:1')?.expiry.clear();
  });

  // The chaos run found it: such a client was told of no gap, and missed what was published in it.
  it('is refused where the bus was lost meanwhile, and leaves nothing behind', async () => {
    const { parts, connection, outcomes } = await join(() => ({ ready: false }));
    expect(outcomes).toMatchObject([{ ok: false, code: 'unavailable' }]);
    expect(connection.subscriptions.size).toBe(0);
    expect(parts.hub.counts().size).toBe(0);
    expect(parts.views.rooms()).toEqual([]);
    expect(parts.roster.leave).toHaveBeenCalledTimes(1);
    expect(parts.bus.unfollow).toHaveBeenCalledTimes(parts.bus.follow.mock.calls.length);
  });

  // So did this: what was heard after a short gap had passed the revision of the joining that was lost in it.
  it('is refused where the list would lack the joining user himself', async () => {
    const { connection, outcomes } = await join((all) => {
      all.get('chat:1')?.begin({ revision: 2, members: [] });
      return { ready: true };
    });
    expect(outcomes).toMatchObject([{ ok: false, code: 'unavailable' }]);
    expect(connection.subscriptions.size).toBe(0);
  });

  describe('that a client with one position for all its channels comes back to', () => {
    const homecomingOf = (parts: Parts, of: Connection, offset: string | null) =>
      new Homecoming(parts, of, {
        offset,
        heardOut: () => Promise.resolve(),
        tellPlace: () => {},
        rewind: () => {},
      });
    const refused = async (offset: string | null) => {
      const { connection } = await join(
        () => ({ ready: false }),
        (parts, of) => homecomingOf(parts, of, offset),
      );
      return connection.closure?.code;
    };

    // The chaos run found it: its other channels carried the position past what this one had missed.
    it('ends the connection where it is refused for now, so that the client brings the position again', async () => {
      expect(await refused('1-1')).toBe('unavailable');
    });

    it('keeps the connection where the client itself overtakes it', async () => {
      const clients: Connection[] = [];
      const { outcomes, connection } = await join(
        () => {
          clients[0]?.cancelAttempt('chat:1');
          return { ready: true };
        },
        (parts, of) => {
          clients.push(of);
          return homecomingOf(parts, of, '1-1');
        },
      );
      expect(outcomes).toMatchObject([{ ok: false, code: 'cancelled' }]);
      expect(connection.closure).toBeNull();
    });

    it('is refused alone where there is nothing to bring', async () => {
      expect(await refused(null)).toBeUndefined();
    });
  });
});

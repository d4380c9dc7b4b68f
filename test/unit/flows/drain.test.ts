import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Connection } from '../../../server/connection/connection.ts';
import { Connections } from '../../../server/connection/connections.ts';
import { drain } from '../../../server/flows/drain.ts';
import { dropConnection } from '../../../server/flows/drop-connection.ts';
import type { Parts } from '../../../server/flows/parts.ts';
import { CONNECTION_SETTINGS } from '../connection-settings.ts';

const PROTOCOL = { name: 'test', deliver: () => {} };

describe('a drain', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** @returns at which moment, in milliseconds from the start, each client was told */
  async function drained(clients: number, deadlineMs: number): Promise<number[]> {
    const parts = {
      connections: new Connections(),
      meters: { connectionClosed: () => {}, connectionOpened: () => {}, refused: () => {} },
      log: { error: () => {} },
    } as unknown as Parts;
    const toldAtMs: number[] = [];
    const startMs = Date.now();
    for (let i = 0; i < clients; i++) {
      const connection: Connection = new Connection(
        PROTOCOL,
        {
          write: () => {},
          bufferedBytes: () => 0,
          flush: () => {},
          revoked: () => {},
          close: () => {
            toldAtMs.push(Date.now() - startMs);
            void dropConnection(parts, connection);
          },
        },
        CONNECTION_SETTINGS,
      );
      parts.connections.add(connection);
    }
    const done = drain(parts, deadlineMs);
    await vi.runAllTimersAsync();
    await done;
    expect(parts.connections.size).toBe(0);
    expect(toldAtMs).toHaveLength(clients);
    return toldAtMs;
  }

  it('tells few clients at once', async () => {
    expect(new Set(await drained(100, 10_000))).toEqual(new Set([0]));
  });

  it('tells many in batches over most of the deadline', async () => {
    const told = await drained(20_000, 10_000);
    const moments = new Map<number, number>();
    for (const ms of told) moments.set(ms, (moments.get(ms) ?? 0) + 1);
    expect(moments.size).toBeGreaterThan(40);
    expect(Math.max(...moments.values())).toBeLessThan(500);
    expect(Math.max(...told)).toBeLessThan(9_500);
  });

  it('tells all of them where there is no time', async () => {
    expect(new Set(await drained(5_000, 0))).toEqual(new Set([0]));
  });
});

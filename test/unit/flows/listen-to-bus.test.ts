import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { BusListener } from '../../../server/broker/bus/bus.ts';
import { listenToBus } from '../../../server/flows/listen-to-bus.ts';
import type { Parts } from '../../../server/flows/parts.ts';

describe('a gap is logged', () => {
  let ready: boolean;
  let listener: BusListener;
  const warn = vi.fn();
  const back = vi.fn(async () => {});
  const meters = { busGap: vi.fn(), busReady: vi.fn() };

  beforeEach(() => {
    ready = true;
    vi.clearAllMocks();
    const parts = {
      bus: {
        ready: () => ready,
        listen: (given: BusListener) => {
          listener = given;
        },
      },
      roster: { onRestored: () => {} },
      hub: { deliverEverywhere: vi.fn() },
      log: { warn },
      meters,
    };
    listenToBus(parts as unknown as Parts, { outage: () => {}, back } as never);
  });

  it('with its length when the bus is back', () => {
    ready = false;
    listener.readiness(false);
    listener.gap('connection_lost', null);
    ready = true;
    listener.readiness(true);
    expect(warn.mock.calls).toEqual([
      [{ reason: 'connection_lost', ongoing: true }, 'broadcasts may have been lost'],
      [
        { reason: 'connection_lost', lengthMs: expect.any(Number) },
        'the gap is over: what was published in it is lost',
      ],
    ]);
    expect(meters.busGap).toHaveBeenCalledTimes(1);
  });

  // The chaos run found it: such a gap was open until the next outage, which then seemed as long as the time between.
  it('as over where a log tells it while the bus hears', () => {
    listener.gap('log_restarted', '2-1');
    listener.readiness(false);
    listener.readiness(true);
    expect(warn.mock.calls).toEqual([
      [{ reason: 'log_restarted', ongoing: false }, 'broadcasts may have been lost'],
    ]);
  });

  // So it did this: members who left in such a gap were shown for ever, and who came in it was refused.
  it('and the member lists are compared with the roster, at once or when the bus is back', () => {
    listener.gap('log_restarted', '2-1');
    expect(back).toHaveBeenCalledTimes(1);
    ready = false;
    listener.gap('connection_lost', null);
    expect(back).toHaveBeenCalledTimes(1);
    ready = true;
    listener.readiness(true);
    expect(back).toHaveBeenCalledTimes(2);
  });
});

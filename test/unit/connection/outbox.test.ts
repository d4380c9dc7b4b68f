import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Outbox } from '../../../server/connection/outbox.ts';
import type { Frame } from '../../../server/domain/frame.ts';

const FRAME = {} as Frame;

function outboxOf(maxBytes: number) {
  const state = { bytes: 0, gathered: 0 };
  const transport = {
    write: () => {},
    bufferedBytes: () => state.bytes,
    flush: () => {
      state.bytes -= state.gathered;
      state.gathered = 0;
    },
    revoked: () => {},
    close: () => {},
  };
  return { outbox: new Outbox(transport, maxBytes), state };
}

describe('an outbox', () => {
  it('does not hold against a reader what a replay put there at once', () => {
    const { outbox, state } = outboxOf(100);
    state.bytes = 5_000;
    outbox.replay(FRAME);
    expect(outbox.keepsUp()).toBe(true);
    state.bytes = 5_100;
    expect(outbox.keepsUp()).toBe(true);
    state.bytes = 5_101;
    expect(outbox.keepsUp()).toBe(false);
  });

  it('does not hold against a reader what only this turn has gathered', () => {
    const { outbox, state } = outboxOf(100);
    Object.assign(state, { bytes: 150, gathered: 60 });
    expect(outbox.keepsUp()).toBe(true);
    state.bytes = 101;
    expect(outbox.keepsUp()).toBe(false);
  });

  it('forgets of it what has been read', () => {
    const { outbox, state } = outboxOf(100);
    state.bytes = 5_000;
    outbox.replay(FRAME);
    state.bytes = 50;
    expect(outbox.keepsUp()).toBe(true);
    state.bytes = 151;
    expect(outbox.keepsUp()).toBe(false);
  });

  it('that is more than half full lets a replay wait', () => {
    const { outbox, state } = outboxOf(100);
    state.bytes = 50;
    expect(outbox.isFilling()).toBe(false);
    state.bytes = 51;
    expect(outbox.isFilling()).toBe(true);
  });

  describe('that a replay waits for', () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());
    const live = () => new AbortController().signal;

    it('is ready when a quarter is left', async () => {
      const { outbox, state } = outboxOf(100);
      state.bytes = 80;
      let ready = false;
      const drained = outbox.drained(live()).then((read) => {
        ready = read;
      });
      state.bytes = 26;
      await vi.advanceTimersByTimeAsync(1_000);
      expect(ready).toBe(false);
      state.bytes = 25;
      await vi.advanceTimersByTimeAsync(100);
      await drained;
      expect(ready).toBe(true);
    });

    it('is given up where nothing is read for half a minute, and not where little is', async () => {
      const { outbox, state } = outboxOf(1_000);
      state.bytes = 900;
      let read: boolean | null = null;
      void outbox.drained(live()).then((answer) => {
        read = answer;
      });
      for (let i = 0; i < 4; i++) {
        await vi.advanceTimersByTimeAsync(20_000);
        state.bytes -= 1;
      }
      expect(read).toBeNull();
      await vi.advanceTimersByTimeAsync(31_000);
      expect(read).toBe(false);
    });

    it('is not waited for any more where the connection ends', async () => {
      const { outbox, state } = outboxOf(100);
      state.bytes = 90;
      const controller = new AbortController();
      const drained = outbox.drained(controller.signal);
      controller.abort();
      await expect(drained).rejects.toThrow();
      expect(vi.getTimerCount()).toBe(0);
    });
  });
});

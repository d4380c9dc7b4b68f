import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Connection } from '../../../server/connection/connection.ts';
import type { Frame } from '../../../server/domain/frame.ts';
import type { Closure } from '../../../server/domain/outcome.ts';
import type { Protocol } from '../../../server/domain/protocol.ts';
import { CONNECTION_SETTINGS } from '../connection-settings.ts';

const PROTOCOL: Protocol = { name: 'test', deliver: () => {} };
const SETTINGS = { ...CONNECTION_SETTINGS, maxPendingCommands: 10, commandBurst: 4, outboxBytes: 100 };
const FRAME = {} as Frame;

function connect() {
  const written: Frame[] = [];
  const closures: Closure[] = [];
  const transport = {
    buffered: 0,
    write: (frame: Frame) => void written.push(frame),
    bufferedBytes: () => transport.buffered,
    flush: () => {},
    revoked: vi.fn(),
    close: (closure: Closure) => void closures.push(closure),
  };
  return { connection: new Connection(PROTOCOL, transport, SETTINGS), transport, written, closures };
}

describe('an attempt to join', () => {
  let connection: Connection;
  beforeEach(() => {
    ({ connection } = connect());
  });

  it('is cancelled by a later one on the same channel, not by one on another', () => {
    const first = connection.beginAttempt('a');
    const other = connection.beginAttempt('b');
    const second = connection.beginAttempt('a');
    expect([first, other, second].map(({ signal }) => signal.aborted)).toEqual([true, false, false]);
  });

  it('is cancelled by an unsubscribe and by the end of the connection', () => {
    const [a, b] = [connection.beginAttempt('a'), connection.beginAttempt('b')];
    connection.cancelAttempt('a');
    expect([a.signal.aborted, b.signal.aborted]).toEqual([true, false]);
    connection.markClosed();
    expect(b.signal.aborted).toBe(true);
  });

  it('that begins on a closed connection is cancelled from the start', () => {
    connection.markClosed();
    expect(connection.beginAttempt('a').signal.aborted).toBe(true);
  });

  it('that ends late takes nothing from the one that replaced it', () => {
    const first = connection.beginAttempt('a');
    const second = connection.beginAttempt('a');
    connection.endAttempt(first);
    connection.cancelAttempt('a');
    expect(second.signal.aborted).toBe(true);
  });

  it('that has ended is not cancelled any more', () => {
    const attempt = connection.beginAttempt('a');
    connection.endAttempt(attempt);
    connection.cancelAttempt('a');
    connection.markClosed();
    expect(attempt.signal.aborted).toBe(false);
  });
});

describe('what a connection is sent', () => {
  it('ends with it, once, whoever ends it first', () => {
    const { connection, written, closures, transport } = connect();
    const ended = vi.fn();
    connection.onEnd(ended);
    connection.write(FRAME);
    connection.end({ code: 'restarting', message: '' });
    connection.end({ code: 'ended', message: '' });
    connection.write(FRAME);
    connection.revoked('a', { code: 'token_expired', status: 401, message: '' });
    expect(written).toHaveLength(1);
    expect(closures.map(({ code }) => code)).toEqual(['restarting']);
    expect(ended).toHaveBeenCalledTimes(1);
    expect(transport.revoked).not.toHaveBeenCalled();
    expect([connection.ending, connection.closed]).toEqual([true, false]);
  });

  it('is nothing on a closed one, which nobody needs to end', () => {
    const { connection, written, closures } = connect();
    connection.markClosed();
    connection.write(FRAME);
    connection.end({ code: 'restarting', message: '' });
    expect([written, closures]).toEqual([[], []]);
  });

  it('may wait up to the bound; beyond it the next frame ends the connection', () => {
    const { connection, transport, written, closures } = connect();
    transport.buffered = 100;
    connection.write(FRAME);
    expect([written.length, closures.length]).toEqual([1, 0]);
    transport.buffered = 101;
    connection.write(FRAME);
    expect([written.length, closures.map(({ code }) => code)]).toEqual([1, ['too_slow']]);
  });
});

describe('the position in what a connection is sent', () => {
  const bare = { text: 'bare' } as Frame;
  const frame = { text: 'whole', withoutPosition: () => bare } as Frame;

  it('is held back while a channel of it is behind, in live frames alone', () => {
    const { connection, written } = connect();
    connection.write(frame);
    connection.positionsHeld = true;
    connection.write(frame);
    connection.write(FRAME);
    connection.replay(frame);
    connection.positionsHeld = false;
    connection.write(frame);
    expect(written).toEqual([frame, bare, FRAME, frame, frame]);
  });
});

describe('the rate of a connection', () => {
  it('refuses beyond the burst, and ends at five bursts of refusals', () => {
    const { connection, closures } = connect();
    const admitted = Array.from({ length: 24 }, () => connection.commandRefusal() === null);
    expect(admitted.filter(Boolean)).toHaveLength(4);
    expect(closures).toEqual([]);
    expect(connection.commandRefusal()).toMatchObject({
      code: 'rate_limited',
      retryAfterMs: expect.any(Number),
    });
    expect(closures.map(({ code }) => code)).toEqual(['rate_limited']);
  });

  it('lets a client that is somewhat too fast go on for ever, refused', () => {
    vi.useFakeTimers();
    try {
      const { connection, closures } = connect();
      let admitted = 0;
      // Nearly twice the rate, for more than an hour.
      for (let n = 0; n < 9_000; n++) {
        vi.advanceTimersByTime(556);
        if (connection.commandRefusal() === null) admitted++;
      }
      expect(closures).toEqual([]);
      expect(admitted).toBeLessThan(5_100);
      // Three times the rate.
      for (let n = 0; n < 100; n++) {
        vi.advanceTimersByTime(333);
        connection.commandRefusal();
      }
      expect(closures.map(({ code }) => code)).toEqual(['rate_limited']);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('the ids of a connection', () => {
  it('are two of the form that Laravel takes: its own, and the one that others see', () => {
    const { connection } = connect();
    expect(connection.socketId).toMatch(/^\d+\.\d+$/);
    expect(connection.memberSocketId).toMatch(/^\d+\.\d+$/);
    expect(connection.memberSocketId).not.toBe(connection.socketId);
  });
});

import { describe, expect, it } from 'vitest';
import { createSocketId } from '../../../../server/domain/socket-id.ts';
import { decodeRecoveryAuth, encodePid } from '../../../../server/protocols/echo/recovery-auth.ts';

describe('what a Socket.IO client brings back', () => {
  it('are its offset and the last two ids, the newest first', () => {
    const [a, b, c, d] = Array.from({ length: 4 }, createSocketId) as [string, string, string, string];
    const first = encodePid([a]);
    const second = encodePid([b, ...decodeRecoveryAuth({ pid: first }).oldSocketIds]);
    const third = encodePid([c, ...decodeRecoveryAuth({ pid: second }).oldSocketIds]);
    const fourth = encodePid([d, ...decodeRecoveryAuth({ pid: third }).oldSocketIds]);
    expect(decodeRecoveryAuth({ pid: fourth, offset: '1-2' })).toEqual({
      offset: '1-2',
      oldSocketIds: [d, c],
    });
    expect(new Set([first, second, third, fourth]).size).toBe(4);
  });

  it.each([
    undefined,
    null,
    'text',
    7,
    [],
    {},
    { pid: 7, offset: {} },
    { pid: ['1.1'], offset: [] },
    { pid: '', offset: '' },
  ])('is nothing where it is %j', (auth) => {
    expect(decodeRecoveryAuth(auth)).toEqual({ offset: null, oldSocketIds: [] });
  });

  it.each(['1.1_x', 'channel:news', '1', '1.', '.1', '1.1_', '1.1__2.2', `${'1'.repeat(21)}.1`, '1.1\n'])(
    'names no connection by the pid %j',
    (pid) => {
      expect(decodeRecoveryAuth({ pid }).oldSocketIds).toEqual([]);
    },
  );

  it('is kept no longer than a position is, however long it was', () => {
    expect(decodeRecoveryAuth({ offset: '9'.repeat(1_000_000) }).offset?.length).toBeLessThan(100);
  });
});

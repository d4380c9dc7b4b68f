import { describe, expect, it } from 'vitest';
import { ReplicationProtocolError } from '../../../../server/broker/replication/command-stream.ts';
import { Snapshot } from '../../../../server/broker/replication/snapshot.ts';

const MARK = `${'m'.repeat(39)}n`;

/** @returns what follows the snapshot, and how much was read before its end was seen */
function pass(bytes: Buffer, size: number): string | null {
  const snapshot = new Snapshot();
  for (let at = 0; at < bytes.length; at += size) {
    const rest = snapshot.read(bytes.subarray(at, at + size));
    if (rest !== null) return rest.toString() + bytes.toString('utf8', at + size);
  }
  return null;
}

describe('Snapshot', () => {
  it.each([
    ['told by its length', '$10\r\n0123456789'],
    ['told by its length, empty', '$0\r\n'],
    ['up to its mark', `$EOF:${MARK}\r\nREDIS0010${MARK}`],
    ['up to its mark, empty', `$EOF:${MARK}\r\n${MARK}`],
    ['that holds the beginning of its mark', `$EOF:${MARK}\r\n${'m'.repeat(100)}n`],
    ['that the master made us wait for', `\n\n\n$10\r\n0123456789`],
  ])('passes where it is %s, whatever the packets, and leaves what follows', (_what, text) => {
    const bytes = Buffer.from(`${text}*1\r\n`);
    for (let size = 1; size <= bytes.length; size++) expect(pass(bytes, size)).toBe('*1\r\n');
  });

  it('finds the mark behind a long one that seems to begin it all the time', () => {
    const snapshot = new Snapshot();
    expect(snapshot.read(Buffer.from(`$EOF:${MARK}\r\n`))).toBeNull();
    const chunk = Buffer.alloc(1024 * 1024, 'm');
    for (let i = 0; i < 20; i++) expect(snapshot.read(chunk)).toBeNull();
    expect(snapshot.read(Buffer.from('n'))?.length).toBe(0);
  });

  it.each(['+OK\r\n', '$x\r\n', '$EOF:short\r\n', '-ERR\r\n', 'x'.repeat(100)])(
    'takes %j for garbage',
    (text) => {
      expect(() => new Snapshot().read(Buffer.from(text))).toThrow(ReplicationProtocolError);
    },
  );
});

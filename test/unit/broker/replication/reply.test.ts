import { describe, expect, it } from 'vitest';
import { ReplicationProtocolError } from '../../../../server/broker/replication/command-stream.ts';
import { decodeReply } from '../../../../server/broker/replication/reply.ts';

describe('decodeReply', () => {
  it.each([
    ['+OK\r\n', 'OK'],
    [':12\r\n', '12'],
    ['-NOPERM no\r\n', '-NOPERM no'],
    ['$2\r\nhi\r\n', 'hi'],
    ['$-1\r\n', null],
    ['*3\r\n$1\r\na\r\n:1\r\n*0\r\n', ['a', '1', []]],
  ])('reads %j when it is whole, and leaves what follows', (text, reply) => {
    const bytes = Buffer.from(text);
    for (let size = 0; size < bytes.length; size++) expect(decodeReply(bytes.subarray(0, size))).toBeNull();
    expect(decodeReply(Buffer.from(`${text}+more`))).toEqual({ reply, end: bytes.length });
  });

  it.each(['HTTP/1.1 400 Bad Request\r\n', '*999999\r\n', '$x\r\n', `${'*1\r\n'.repeat(10)}`])(
    'takes %j for no answer',
    (text) => {
      expect(() => decodeReply(Buffer.from(text))).toThrow(ReplicationProtocolError);
    },
  );
});

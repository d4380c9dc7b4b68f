import { describe, expect, it } from 'vitest';
import {
  CommandStream,
  ReplicationProtocolError,
} from '../../../../server/broker/replication/command-stream.ts';
import { keepPublished, publishedIn } from '../../../../server/broker/replication/published.ts';
import { encodeCommand } from '../../../../server/broker/replication/reply.ts';

interface Seen {
  readonly kept: readonly string[];
  readonly offset: number;
}

function streamFrom(offset: number, keeps = keepPublished(() => true)) {
  const seen: Seen[] = [];
  const stream = new CommandStream({
    offset,
    keeps,
    onCommand: (kept) => seen.push({ kept: kept.map(String), offset: stream.offset }),
  });
  return { stream, seen };
}

const COMMANDS = [
  ['SELECT', '0'],
  ['PUBLISH', 'room', 'a\r\nb*3\r\n$7\r\n'],
  ['MULTI'],
  ['set', 'key', 'publish'],
  ['publish', '', ''],
  ['EXEC'],
  ['PING'],
  ['REPLCONF', 'GETACK', '*'],
  ['SADD', ...Array.from({ length: 30 }, (_, i) => String(i))],
  ['PUBLISH', 'room', 'ü'.repeat(100)],
];
const BYTES = Buffer.from(COMMANDS.map((command) => encodeCommand(command)).join(''));
const EXPECTED = COMMANDS.map((command, i) => ({
  kept: /publish|replconf/i.test(command[0] ?? '') ? command.slice(0, command[0] === 'REPLCONF' ? 2 : 3) : [],
  offset:
    1000 +
    Buffer.byteLength(
      COMMANDS.slice(0, i + 1)
        .map((each) => encodeCommand(each))
        .join(''),
    ),
}));

describe('CommandStream', () => {
  it('tells each command once, with the offset behind its last byte, keeping only what is published', () => {
    const { stream, seen } = streamFrom(1000);
    stream.read(BYTES);
    expect(seen).toEqual(EXPECTED);
    expect(stream.offset).toBe(1000 + BYTES.length);
  });

  it.each([1, 2, 3, 7])('tells the same from packets of %i bytes', (size) => {
    const whole = streamFrom(0);
    whole.stream.read(BYTES);
    const { stream, seen } = streamFrom(0);
    for (let at = 0; at < BYTES.length; at += size) stream.read(BYTES.subarray(at, at + size));
    expect(seen).toEqual(whole.seen);
  });

  it('tells the same when it is cut in two at any byte', () => {
    const whole = streamFrom(0);
    whole.stream.read(BYTES);
    for (let at = 0; at <= BYTES.length; at++) {
      const { stream, seen } = streamFrom(0);
      stream.read(BYTES.subarray(0, at));
      stream.read(BYTES.subarray(at));
      expect(seen).toEqual(whole.seen);
    }
  });

  it('stands at the last whole command while the next one is on its way', () => {
    const first = Buffer.byteLength(encodeCommand(COMMANDS[0] ?? []));
    const { stream } = streamFrom(0);
    for (let at = 0; at < first + 20; at++) {
      stream.read(BYTES.subarray(at, at + 1));
      expect(stream.offset).toBe(at + 1 < first ? 0 : first);
    }
  });

  it('gives copies, so that a message does not hold the packet that it came in', () => {
    const packet = Buffer.from(encodeCommand(['PUBLISH', 'room', 'hello']));
    const given: Buffer[] = [];
    new CommandStream({
      offset: 0,
      keeps: () => true,
      onCommand: (kept) => given.push(...kept),
    }).read(packet);
    packet.fill(0);
    expect(given.map(String)).toEqual(['PUBLISH', 'room', 'hello']);
  });

  it('asks for the name before the payload is held, and holds none that nobody wants', () => {
    const { stream, seen } = streamFrom(
      0,
      keepPublished((name) => String(name) === 'mine'),
    );
    stream.read(
      Buffer.from(encodeCommand(['PUBLISH', 'other', 'x']) + encodeCommand(['PUBLISH', 'mine', 'y'])),
    );
    expect(seen.map(({ kept }) => kept)).toEqual([
      ['PUBLISH', 'other'],
      ['PUBLISH', 'mine', 'y'],
    ]);
  });

  it('takes no command of other shape for a message', () => {
    const { stream, seen } = streamFrom(0);
    const shapes = [
      ['PUBLISH', 'a'],
      ['PUBLISH', 'a', 'b', 'c'],
      ['SPUBLISH', 'a', 'b'],
      ['GETEXXX', 'a', 'b'],
    ];
    for (const shape of shapes) stream.read(Buffer.from(encodeCommand(shape)));
    stream.read(Buffer.from(encodeCommand(['PUBLISH', 'n'.repeat(64 * 1024 + 1), 'b'])));
    expect(seen).toHaveLength(5);
    for (const { kept } of seen) expect(publishedIn(kept.map((text) => Buffer.from(text)))).toBeNull();
  });

  it('lets a value of any size pass, told in a number alone', () => {
    const { stream, seen } = streamFrom(0);
    const size = 3 * 1024 ** 3;
    stream.read(Buffer.from(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${size}\r\n`));
    const chunk = Buffer.alloc(16 * 1024 * 1024, 'x');
    for (let at = 0; at < size; at += chunk.length) stream.read(chunk);
    stream.read(Buffer.from('\r\n'));
    expect(seen).toEqual([{ kept: [], offset: stream.offset }]);
    expect(stream.offset).toBeGreaterThan(size);
  });

  it('tells nothing more once it is closed, not even what stands in the same packet', () => {
    const offsets: number[] = [];
    const stream = new CommandStream({
      offset: 0,
      keeps: () => false,
      onCommand: () => {
        offsets.push(stream.offset);
        stream.close();
      },
    });
    stream.read(BYTES);
    stream.read(BYTES);
    expect(offsets).toHaveLength(1);
  });

  it.each([
    ['an inline command', 'PING\r\n'],
    ['an error', '-ERR no\r\n'],
    ['a command without a name', '*0\r\n'],
    ['no number of arguments', '*\r\n'],
    ['a negative number', '*-1\r\n'],
    ['an argument without a size', '*1\r\n$\r\n'],
    ['an argument of another kind', '*1\r\n:4\r\n'],
    ['a line that does not end', '*1\rx'],
    ['an argument longer than told', '*1\r\n$3\r\nPING\r\n'],
    ['an argument that ends in another way', '*1\r\n$4\r\nPING\r\r'],
    ['a size beyond all bounds', `*1\r\n$${'9'.repeat(400)}\r\n`],
    ['bytes of anything', '\u0000\u0001\u0002'],
  ])('takes %s for garbage, told with the place and without the bytes', (_what, bytes) => {
    const before = encodeCommand(['SET', 'k', 'secret']);
    const { stream } = streamFrom(0);
    let error: unknown;
    try {
      stream.read(Buffer.from(before + bytes, 'latin1'));
    } catch (err) {
      error = err;
    }
    expect(error).toBeInstanceOf(ReplicationProtocolError);
    expect(String(error)).toMatch(/at offset \d+$/);
    expect(stream.offset).toBe(before.length);
  });
});

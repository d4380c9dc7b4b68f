import { ReplicationProtocolError } from './command-stream.ts';

/** Redis answered with an error. The shape that `refusalOf` reads; of the command only its name, since arguments are secret. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
  readonly command: { readonly name: string };

  constructor(message: string, command: string) {
    super(message);
    this.command = { name: command };
  }
}

/** A reply of RESP 2, as text; an error as `-...`. */
export type Reply = string | readonly Reply[] | null;

interface Decoded {
  readonly reply: Reply;
  readonly end: number;
}

const MAX_DEPTH = 4;
const MAX_ITEMS = 256;

/**
 * The first reply in these bytes, for the few commands with which a link begins.
 * @returns null where it is not whole
 * @throws ReplicationProtocolError
 */
export function decodeReply(bytes: Buffer, from = 0, depth = 0): Decoded | null {
  const lineEnd = bytes.indexOf('\r\n', from);
  if (lineEnd < 0) return null;
  const line = bytes.toString('utf8', from, lineEnd);
  const after = lineEnd + 2;
  const size = Number(line.slice(1));
  if (line.startsWith('+') || line.startsWith(':')) return { reply: line.slice(1), end: after };
  if (line.startsWith('-')) return { reply: line, end: after };
  if (!/^[$*](-1|\d{1,9})$/.test(line)) throw new ReplicationProtocolError('this is no answer of Redis');
  if (size < 0) return { reply: null, end: after };
  return line.startsWith('$') ? decodeBulk(bytes, after, size) : decodeArray(bytes, after, size, depth);
}

function decodeBulk(bytes: Buffer, from: number, size: number): Decoded | null {
  if (bytes.length < from + size + 2) return null;
  return { reply: bytes.toString('utf8', from, from + size), end: from + size + 2 };
}

function decodeArray(bytes: Buffer, from: number, size: number, depth: number): Decoded | null {
  if (size > MAX_ITEMS || depth >= MAX_DEPTH)
    throw new ReplicationProtocolError('this is no answer that was asked for');
  const reply: Reply[] = [];
  let end = from;
  while (reply.length < size) {
    const item = decodeReply(bytes, end, depth + 1);
    if (item === null) return null;
    reply.push(item.reply);
    end = item.end;
  }
  return { reply, end };
}

export function encodeCommand(parts: readonly string[]): string {
  return `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`;
}

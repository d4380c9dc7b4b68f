/**
 * One message as a protocol encoded it, once for all its receivers. Both spellings are made together: a socket
 * that can take the prepared WebSocket frame gets those bytes as they are, any other (polling, an upgrade under
 * way) gets the text through its library's queue.
 */
export interface Frame {
  readonly text: string;
  readonly webSocketFrame: Buffer;
  /**
   * The same without its position in the history, for a client that must not believe yet that it has got so far;
   * absent where a frame bears none. Encoded when it is first asked for.
   */
  readonly withoutPosition?: () => Frame;
}

const FIN_TEXT = 0x81;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/**
 * An unmasked WebSocket text frame (RFC 6455, section 5.2), as a server sends it.
 * @param text the payload, well-formed UTF-16
 */
export function webSocketTextFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const headerLength = length < LENGTH_16 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headerLength + length);
  frame[0] = FIN_TEXT;
  if (headerLength === 2) {
    frame[1] = length;
  } else if (headerLength === 4) {
    frame[1] = LENGTH_16;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = LENGTH_64;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, headerLength);
  return frame;
}

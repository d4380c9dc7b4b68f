import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** The bench's events are longer than this, and what else is said meanwhile (how far a client is) is shorter. */
const LEAST_EVENT_BYTES = 80;

/**
 * A WebSocket client that only counts the frames it is sent: the generator shares the machine with the server, so
 * it must cost as little as it can.
 */
export class FrameCounter {
  /** Of all kinds. */
  frames = 0;
  /** Those that bring an event. */
  deliveries = 0;
  readonly #socket: Socket;
  readonly #heard: ((text: string) => void) | undefined;
  #onDelivery: () => void = () => {};
  #rest: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket, heard: ((text: string) => void) | undefined) {
    this.#socket = socket;
    this.#heard = heard;
  }

  /** @param heard called with the text of every frame; most are counted unread */
  static async open(port: number, path: string, heard?: (text: string) => void): Promise<FrameCounter> {
    const socket = connect(port, '127.0.0.1');
    const counter = new FrameCounter(socket, heard);
    // The server may end it, or be ended, at any time; what is missing then is counted as lost.
    socket.on('error', () => {});
    const key = randomBytes(16).toString('base64');
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
    let head = Buffer.alloc(0);
    while (!head.includes('\r\n\r\n')) {
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      head = Buffer.concat([head, chunk]);
    }
    if (!head.toString('latin1').startsWith('HTTP/1.1 101')) throw new Error(`refused: ${head}`);
    socket.on('data', (chunk: Buffer) => counter.#read(chunk));
    counter.#read(head.subarray(head.indexOf('\r\n\r\n') + 4));
    return counter;
  }

  /** Called for every delivery, after it is counted. */
  onDelivery(listener: () => void): void {
    this.#onDelivery = listener;
  }

  /** Resolves when so many frames have come. */
  async atLeast(frames: number): Promise<void> {
    while (this.frames < frames) await once(this.#socket, 'data');
  }

  /** Sends a masked text frame of at most 65,535 bytes. */
  send(text: string): void {
    const payload = Buffer.from(text);
    const head = Buffer.alloc(8);
    head[0] = 0x81;
    head[1] = 0x80 | 126;
    head.writeUInt16BE(payload.length, 2);
    // A mask of zeros is a mask, and leaves the payload as it is.
    this.#socket.write(Buffer.concat([head, payload]));
  }

  close(): void {
    this.#socket.destroy();
  }

  /** The server has ended it. */
  get ended(): boolean {
    return this.#socket.destroyed || this.#socket.readableEnded;
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (at + 2 <= bytes.length) {
      const length = bytes.readUInt8(at + 1) & 0x7f;
      const headLength = length < 126 ? 2 : length === 126 ? 4 : 10;
      if (at + headLength > bytes.length) break;
      const payload =
        length < 126
          ? length
          : length === 126
            ? bytes.readUInt16BE(at + 2)
            : Number(bytes.readBigUInt64BE(at + 2));
      if (at + headLength + payload > bytes.length) break;
      at += headLength + payload;
      this.frames++;
      this.#heard?.(bytes.toString('utf8', at - payload, at));
      if (payload < LEAST_EVENT_BYTES) continue;
      this.deliveries++;
      this.#onDelivery();
    }
    this.#rest = bytes.subarray(at);
  }
}

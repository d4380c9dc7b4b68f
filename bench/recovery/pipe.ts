import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const BATCH = 100;

/** Publishes one and the same event as fast as Redis takes it: a client of its own, since a library would be the limit. */
export class Pipe {
  taken = 0;
  sent = 0;
  readonly #socket: Socket;
  readonly #batch: Buffer;

  private constructor(socket: Socket, batch: Buffer) {
    this.#socket = socket;
    this.#batch = batch;
    socket.on('data', (replies: Buffer) => {
      for (let at = replies.indexOf(10); at !== -1; at = replies.indexOf(10, at + 1)) this.taken++;
    });
  }

  static async open(url: string, channel: string, payload: string): Promise<Pipe> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    await once(socket, 'connect');
    const bulk = (text: string) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
    const publish = `*3\r\n${bulk('PUBLISH')}${bulk(channel)}${bulk(payload)}`;
    return new Pipe(socket, Buffer.from(publish.repeat(BATCH)));
  }

  /** Sends the next hundred, and waits where Redis does not keep up. */
  async batch(): Promise<void> {
    this.sent += BATCH;
    if (!this.#socket.write(this.#batch)) await once(this.#socket, 'drain');
  }

  async allTaken(): Promise<void> {
    while (this.taken < this.sent) await once(this.#socket, 'data');
  }

  close(): void {
    this.#socket.destroy();
  }
}

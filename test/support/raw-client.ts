import { once } from 'node:events';
import type { Agent } from 'node:http';
import { type ClientOptions, type RawData, WebSocket } from 'ws';
import { EventQueue } from './event-queue.ts';

/** A frame of the raw protocol, parsed; `type` is its discriminator. */
export interface RawFrame {
  readonly type?: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into frames of every shape
  readonly [key: string]: any;
}

export interface RawOptions {
  /** The server, `http://127.0.0.1:1234` or `ws://...`. */
  readonly url: string;
  /** Goes into the query; left out where undefined. */
  readonly token?: string | undefined;
  /** Default `/`. */
  readonly path?: string;
  /** More of the query, e.g. `{since: ''}`. */
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whence it connects, and which certificates it trusts. */
  readonly agent?: Agent;
  /** False: this client never answers a ping. Default true. */
  readonly autoPong?: boolean;
  /** For error messages. */
  readonly name?: string;
}

/** A client of the seed's protocol, as a browser's WebSocket would be one. */
export class RawClient {
  readonly socket: WebSocket;
  readonly #frames: EventQueue<RawFrame>;
  readonly #texts: string[] = [];
  readonly #closed: Promise<{ code: number; reason: string }>;

  constructor(options: RawOptions) {
    const { token, query = {}, path = '/', headers = {}, autoPong = true, agent } = options;
    this.#frames = new EventQueue(options.name ?? 'the raw client');
    const url = new URL(path, options.url.replace(/^http/, 'ws'));
    for (const [key, value] of Object.entries({ ...(token === undefined ? {} : { token }), ...query }))
      url.searchParams.set(key, value);
    this.socket = new WebSocket(url, {
      headers: { ...headers },
      autoPong,
      ...(agent === undefined ? {} : { agent }),
    } as ClientOptions);
    this.socket.on('message', (data: RawData) => this.#hear(String(data)));
    this.#closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => {
        this.#frames.end(`the server closed with ${code} ${String(reason)}`);
        resolve({ code, reason: String(reason) });
      });
    });
    // A refused upgrade is told by 'error' and then 'close'; the queue's end tells the test.
    this.socket.on('error', (error) => this.#frames.end(`the connection failed: ${error.message}`));
  }

  /** Resolves when the upgrade was accepted, which a refusal at the door is too. */
  static async open(options: RawOptions): Promise<RawClient> {
    const client = new RawClient(options);
    await once(client.socket, 'open');
    return client;
  }

  /** Opens and reads the `connected` frame. */
  static async join(options: RawOptions): Promise<RawClient & { readonly connected: RawFrame }> {
    const client = await RawClient.open(options);
    const connected = await client.next('connected');
    return Object.assign(client, { connected });
  }

  /** The next unread frame: of that type, or that the predicate takes, or simply the next. */
  next(wants?: string | ((frame: RawFrame) => boolean), timeoutMs?: number): Promise<RawFrame> {
    if (typeof wants === 'string')
      return this.#frames.next((frame) => frame.type === wants, `a frame of type ${wants}`, timeoutMs);
    return this.#frames.next(wants, wants === undefined ? 'a frame' : `a frame with ${wants}`, timeoutMs);
  }

  unread(): readonly RawFrame[] {
    return this.#frames.unread();
  }

  drain(): RawFrame[] {
    return this.#frames.drain();
  }

  /** Every frame so far as it came, for what parsing would hide (key order, large numbers). */
  texts(): readonly string[] {
    return [...this.#texts];
  }

  /** Sends `{data}` as the seed has it, with `id` if given. */
  send(data: unknown, id?: string | number): void {
    this.sendText(JSON.stringify(id === undefined ? { data } : { data, id }));
  }

  /** Sends and reads the answer. */
  async request(data: unknown, id?: string | number): Promise<RawFrame> {
    this.send(data, id);
    return this.next('sended');
  }

  /** Sends any bytes: a Buffer goes as a binary frame. */
  sendText(frame: string | Buffer): void {
    this.socket.send(frame);
  }

  /** Resolves when the connection has ended, whoever ended it. */
  closed(): Promise<{ code: number; reason: string }> {
    return this.#closed;
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.#closed;
  }

  /** Cuts the connection without a closing handshake, as a lost network would. */
  async cut(): Promise<void> {
    this.socket.terminate();
    await this.#closed;
  }

  #hear(text: string): void {
    this.#texts.push(text);
    this.#frames.push(parseFrame(text));
  }
}

function parseFrame(text: string): RawFrame {
  try {
    return JSON.parse(text) as RawFrame;
  } catch {
    return { type: 'not JSON', text };
  }
}

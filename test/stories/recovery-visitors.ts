import { SECRET } from '../cli/binary.ts';
import { Balancer } from '../support/balancer.ts';
import { ConnectorClient } from '../support/connector-client.ts';
import { EchoClient } from '../support/echo-client.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import type { ClientSocket, Transport } from '../support/socket-io.ts';

export const ROOM = 'chat:recovery';

/** What somebody was given, in its order. */
export class Account {
  /** Numbers, and where he was told that some may be missing. */
  readonly items: (number | 'gap')[] = [];
  readonly whispers: string[] = [];
  /** Whether nothing was missing, each time that he came back. */
  readonly returns: boolean[] = [];

  /** The last number. */
  get last(): number {
    return this.items.findLast((item) => item !== 'gap') ?? 0;
  }
}

/** A client in the room, behind a forwarder of its own, that comes back by itself whenever it is cut. */
export interface Visitor {
  readonly name: string;
  readonly way: Balancer;
  readonly account: Account;
  /** Whether it hears Laravel's events of any name, and whispers; else only the room's messages. */
  readonly hearsAll: boolean;
  /** Of the connection that it has, or had last. */
  socketId(): string;
  whisper(text: string): void;
  leave(): Promise<void>;
}

/** What Echo's and the connector's channels have in common, as far as these pages use it. */
interface Channel {
  listen(event: string, listener: (payload: never) => void): unknown;
  listenForWhisper(event: string, listener: (payload: { text: string }) => void): unknown;
  whisper(event: string, data: object): unknown;
}

/** A page in the presence channel. */
class PageVisitor implements Visitor {
  readonly account = new Account();
  readonly hearsAll = true;
  readonly #client: { readonly socket: ClientSocket; close(): void };
  readonly #channel: Channel;
  #socketId = '';

  constructor(
    readonly name: string,
    readonly way: Balancer,
    client: { readonly socket: ClientSocket; close(): void },
    channel: unknown,
  ) {
    this.#client = client;
    this.#channel = channel as Channel;
    const { socket } = client;
    const keepSocketId = () => {
      this.#socketId = socket.id ?? '';
    };
    keepSocketId();
    socket.on('connect', keepSocketId);
    const { items, whispers } = this.account;
    this.#channel.listen('.counted', ({ n }: { n: number }) => items.push(n));
    this.#channel.listen('.message', ({ data, message }: { data?: { message: string }; message?: string }) =>
      items.push(Number(data?.message ?? message)),
    );
    this.#channel.listenForWhisper('typing', ({ text }) => whispers.push(text));
  }

  /** As in a request that is under way while the page is cut: its script has none then. */
  socketId(): string {
    return this.#socketId;
  }

  whisper(text: string): void {
    if (this.#client.socket.connected) this.#channel.whisper('typing', { text });
  }

  async leave(): Promise<void> {
    this.#client.close();
    await this.way.close();
  }
}

/** An unmodified page: laravel-echo 2.5 on socket.io-client 4.8. */
async function openEcho(id: number, url: string, transport: Transport): Promise<Visitor> {
  const way = await Balancer.start(url);
  const bearer = `${id}:u${id}`;
  const client = await EchoClient.open({ url: way.url, transports: [transport], bearer });
  const page = new PageVisitor(`Echo by ${transport}, ${id}`, way, client, client.echo.join(ROOM));
  const socket = client.echo.connector.socket as unknown as {
    on(event: string, listener: (channel: string, data: { recovered?: boolean }) => void): void;
  };
  socket.on('subscription_gap', () => page.account.items.push('gap'));
  socket.on('subscription_succeeded', (_channel, { recovered }) => {
    if (recovered !== undefined) page.account.returns.push(recovered);
  });
  await client.settled(`presence-${ROOM}`);
  return page;
}

async function openConnector(id: number, url: string): Promise<Visitor> {
  const way = await Balancer.start(url);
  const options = { bearerToken: `${id}:u${id}` };
  const client = await ConnectorClient.open({ url: way.url, token: () => null, options });
  const channel = client.echo.join(ROOM);
  const page = new PageVisitor(`the connector, ${id}`, way, client, channel);
  channel.onGap(() => page.account.items.push('gap'));
  channel.recovered(({ recovered }) => page.account.returns.push(recovered));
  await new Promise<void>((resolve) => channel.subscribed(resolve));
  return page;
}

/** As docs/delivery.md tells an app's own script to. */
class RawVisitor implements Visitor {
  readonly name: string;
  readonly account = new Account();
  readonly hearsAll = false;
  readonly way: Balancer;
  readonly #id: number;
  #client: RawClient | null = null;
  #position = '';
  #socketId = '';
  #left = false;
  #entered: () => void = () => {};

  private constructor(id: number, way: Balancer) {
    this.#id = id;
    this.name = `raw with since, ${id}`;
    this.way = way;
  }

  static async open(id: number, url: string): Promise<Visitor> {
    const visitor = new RawVisitor(id, await Balancer.start(url));
    const entered = new Promise<void>((resolve) => {
      visitor.#entered = resolve;
    });
    void visitor.#live();
    await entered;
    return visitor;
  }

  socketId(): string {
    return this.#socketId;
  }

  whisper(): void {
    // There are none here.
  }

  async leave(): Promise<void> {
    this.#left = true;
    this.#client?.socket.terminate();
    await this.way.close();
  }

  async #live(): Promise<void> {
    const token = mintToken({ id: this.#id, name: `u${this.#id}`, channel: ROOM }, { secret: SECRET });
    while (!this.#left) {
      const query = { since: this.#position, socket: this.#socketId };
      const client = new RawClient({ url: this.way.url, token, query, name: this.name });
      this.#client = client;
      // Before anything is awaited: what comes right behind the first frame is emitted in the same turn as that.
      client.socket.on('message', (bytes) => this.#hear(JSON.parse(String(bytes))));
      await client.closed();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: frames of every shape
  #hear({ type, socketId, recovered, data, position }: any): void {
    if (type === 'connected') this.#socketId = socketId;
    if (type === 'connected' && recovered !== undefined) this.account.returns.push(recovered);
    if (type === 'message') this.account.items.push(Number(data.message));
    if (type === 'gap') this.account.items.push('gap');
    if (position !== undefined) this.#position = position;
    this.#entered();
  }
}

/** One of each kind, on that node. @param id of the first; each is a user of his own */
export function openVisitors(url: string, id: number): Promise<Visitor[]> {
  return Promise.all([
    openEcho(id, url, 'websocket'),
    openEcho(id + 1, url, 'polling'),
    openConnector(id + 2, url),
    RawVisitor.open(id + 3, url),
  ]);
}

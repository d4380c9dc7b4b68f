import { SECRET } from '../cli/binary.ts';
import { ConnectorClient } from '../support/connector-client.ts';
import { EchoClient } from '../support/echo-client.ts';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import type { ClientVersion } from '../support/socket-io.ts';

const tokenOf = (id: number, channel: string) =>
  mintToken({ id, name: `u${id}`, channel }, { secret: SECRET });

/** What a page knows: the numbers that it heard, who is there, and whom it was shown coming and going. */
export class Sight {
  /** What it heard on each visit; what it is given because it missed it belongs to the visit before. */
  readonly visits: number[][] = [];
  /** `joined 5`, `left 7`, in its order. */
  readonly news: string[] = [];
  /** What cannot be true. */
  readonly faults: string[] = [];
  #there = new Set<number>();

  /** It comes in: at first, and whenever it has been away. */
  list(ids: readonly number[]): void {
    this.visits.push([]);
    this.#there = new Set(ids);
    if (this.#there.size !== ids.length) this.faults.push(`a list with repeats: ${ids}`);
  }

  hear(number: number): void {
    if (this.visits.length === 0) this.faults.push(`${number} before it was in`);
    this.visits.at(-1)?.push(number);
  }

  joined(id: number): void {
    this.news.push(`joined ${id}`);
    if (this.#there.has(id)) this.faults.push(`${id} joined, and was there`);
    this.#there.add(id);
  }

  left(id: number): void {
    this.news.push(`left ${id}`);
    if (!this.#there.delete(id)) this.faults.push(`${id} left, and was not there`);
  }

  /** The last number heard on this visit; 0: none. */
  get last(): number {
    return this.visits.at(-1)?.at(-1) ?? 0;
  }

  /** Ids, sorted, as one line. */
  get there(): string {
    return [...this.#there].sort((a, b) => a - b).join();
  }
}

export interface Page {
  readonly id: number;
  /** For error messages. */
  readonly kind: string;
  readonly sight: Sight;
  /** Whether it hears Laravel's events of any name; else only the room's messages. */
  readonly hearsEvents: boolean;
  leave(): Promise<void>;
}

/** A raw page that opens again whenever it is closed, as its script would: where its balancer sends it. */
export class RawPage implements Page {
  readonly kind = 'raw';
  readonly hearsEvents = false;
  readonly sight = new Sight();
  /** Where it was let in, in order. */
  readonly homes: string[] = [];
  /** What its connections were closed with by the server. */
  readonly codes: number[] = [];
  #client: RawClient | null = null;
  #left = false;

  constructor(
    readonly id: number,
    readonly room: string,
    url: string,
    balancer: () => string,
  ) {
    void this.#live(url, balancer);
  }

  async leave(): Promise<void> {
    this.#left = true;
    await this.#client?.close();
  }

  async #live(first: string, balancer: () => string): Promise<void> {
    for (let url = first; !this.#left; url = balancer()) {
      const client = new RawClient({ url, token: tokenOf(this.id, this.room), name: `raw page ${this.id}` });
      this.#client = client;
      // Before anything is awaited: what comes right behind the first frame is emitted in the same turn as that.
      client.socket.on('message', (bytes) => this.#hear(JSON.parse(String(bytes)), url));
      const { code } = await client.closed();
      if (!this.#left) this.codes.push(code);
      // Ended by the application: a page must not come back by itself.
      if (code === 4409) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: frames of every shape
  #hear({ type, users, data }: any, url: string): void {
    if (type === 'message') this.sight.hear(Number(data.message));
    if (type === 'connectOther') this.sight.joined(data.user.id);
    if (type === 'disconnectOther') this.sight.left(data.user.id);
    if (type !== 'connected') return;
    this.homes.push(url);
    this.sight.list(users.map(({ id }: { id: number }) => id));
  }
}

/** What Echo's and the connector's channels have in common, as far as these pages use it. */
interface Channel {
  here(listener: (users: { id: number }[]) => void): unknown;
  joining(listener: (user: { id: number }) => void): unknown;
  leaving(listener: (user: { id: number }) => void): unknown;
  listen(event: string, listener: (payload: never) => void): unknown;
}

function watch(channel: unknown): Sight {
  const sight = new Sight();
  const page = channel as Channel;
  page.here((users) => sight.list(users.map(({ id }) => id)));
  page.joining(({ id }) => sight.joined(id));
  page.leaving(({ id }) => sight.left(id));
  // A message of the room has a sender; what Laravel published by that name comes as Laravel wrote it.
  page.listen('.message', (payload: { message?: string; data?: { message: string } }) =>
    sight.hear(Number(payload.data?.message ?? payload.message)),
  );
  page.listen('.Rolled', ({ number }: { number: number }) => sight.hear(number));
  return sight;
}

/** A page with laravel-echo as it is, which comes back to its port by itself. */
export async function openEchoPage(
  id: number,
  room: string,
  url: string,
  version: ClientVersion,
): Promise<Page> {
  const client = await EchoClient.open({ url, version, bearer: `${id}:u${id}` });
  const sight = watch(client.echo.join(room));
  return {
    id,
    kind: `Echo on client ${version}`,
    sight,
    hearsEvents: true,
    leave: async () => client.close(),
  };
}

/** A page with our connector. @param way plain X, or presence-X */
export async function openConnectorPage(
  id: number,
  room: string,
  url: string,
  way: 'channel' | 'join',
): Promise<Page> {
  const client = await ConnectorClient.open({ url, token: (channel) => tokenOf(id, channel) });
  const sight = watch(client.echo[way](room));
  return {
    id,
    kind: `connector, ${way}`,
    sight,
    hearsEvents: way === 'join',
    leave: async () => client.close(),
  };
}

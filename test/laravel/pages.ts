import type { ConnectorClient } from '../support/connector-client.ts';
import type { EchoClient, EchoClientOptions } from '../support/echo-client.ts';
import type { EchoSubscription } from '../support/echo-subscription.ts';
import type { Identity } from '../support/laravel.ts';
import type { Stage } from './stage.ts';
import { recordPackets, SYNC_CHANNEL, SYNC_EVENT } from './transcript.ts';

/** A page of the app, whichever Echo it has. */
export interface Page {
  /** What the page sends to Laravel as `X-Socket-ID`: Echo's own `socketId()`. */
  readonly id: string;
  /** Every event's packet so far, byte for byte. */
  readonly packets: readonly string[];
  /** Subscribes, and listens to the events, as for Echo's `listen`. Resolves when the server has said yes. */
  channel(name: string, ...events: string[]): Promise<EchoSubscription>;
  private(name: string, ...events: string[]): Promise<EchoSubscription>;
  join(name: string, ...events: string[]): Promise<EchoSubscription>;
  /** Resolves when all has arrived that was published before. */
  sync(): Promise<void>;
}

export interface PageKind {
  readonly name: string;
  open(stage: Stage, identity: Identity): Promise<Page>;
}

let syncs = 0;

/** An event on a fresh channel comes on the way of all events, behind them. */
const withSync = (stage: Stage, page: Omit<Page, 'sync'>): Page => ({
  ...page,
  sync: async () => {
    const channel = `${SYNC_CHANNEL}${++syncs}`;
    const subscription = await page.channel(channel, `.${SYNC_EVENT}`);
    await stage.publish(channel, SYNC_EVENT);
    await subscription.next(`.${SYNC_EVENT}`);
  },
});

function builtIn(options: Partial<EchoClientOptions>) {
  return async (stage: Stage, { bearer, cookie }: Identity): Promise<Page> => {
    const identity = {
      ...(bearer === undefined ? {} : { bearer }),
      ...(cookie === undefined ? {} : { cookie }),
    };
    const client = await stage.page({ ...options, ...identity });
    const subscribe = async (wire: string, subscription: EchoSubscription): Promise<EchoSubscription> => {
      const settled = await client.settled(wire);
      if (!settled.ok) throw new Error(`${wire} was refused with ${settled.status}`);
      return subscription;
    };
    return withSync(stage, {
      id: socketIdOf(client),
      packets: recordPackets(client.socket),
      channel: (name, ...events) => subscribe(name, client.channel(name, ...events)),
      private: (name, ...events) => subscribe(`private-${name}`, client.private(name, ...events)),
      join: (name, ...events) => subscribe(`presence-${name}`, client.join(name, ...events)),
    });
  };
}

const ours =
  (echo: 1 | 2) =>
  async (stage: Stage, identity: Identity): Promise<Page> => {
    // In Node no jar of cookies stands behind fetch: the headers of the page hold the session.
    const auth = identity.cookie === undefined ? {} : { auth: { headers: { Cookie: identity.cookie } } };
    const client = await stage.connectorPage(identity, { echo, options: auth });
    const subscribe = async (subscription: EchoSubscription): Promise<EchoSubscription> => {
      const { name, payload } = await subscription.next((e) => ['subscribed', 'error'].includes(e.name));
      if (name === 'error') throw new Error(`refused: ${JSON.stringify(payload)}`);
      return subscription;
    };
    return withSync(stage, {
      id: socketIdOf(client),
      packets: recordPackets(client.socket),
      channel: (name, ...events) => subscribe(client.channel(name, ...events)),
      private: (name, ...events) => subscribe(client.private(name, ...events)),
      join: (name, ...events) => subscribe(client.join(name, ...events)),
    });
  };

function socketIdOf(client: EchoClient | ConnectorClient): string {
  return client.echo.socketId() ?? '';
}

export const PAGES: readonly PageKind[] = [
  { name: 'Echo 2.5 on socket.io-client 2', open: builtIn({ version: 2 }) },
  { name: 'Echo 2.5 on socket.io-client 3', open: builtIn({ version: 3 }) },
  { name: 'Echo 2.5 on socket.io-client 4', open: builtIn({ version: 4 }) },
  { name: 'Echo 2.5 on socket.io-client 4, polling', open: builtIn({ version: 4, transports: ['polling'] }) },
  { name: 'Echo 1.16 on socket.io-client 2', open: builtIn({ echo: 1, version: 2 }) },
  {
    name: 'Echo 1.16 on socket.io-client 2, polling',
    open: builtIn({ echo: 1, version: 2, transports: ['polling'] }),
  },
  { name: 'Echo 1.16 on socket.io-client 4', open: builtIn({ echo: 1, version: 4 }) },
  { name: 'Echo 2.5 with our connector', open: ours(2) },
  { name: 'Echo 1.16 with our connector', open: ours(1) },
];

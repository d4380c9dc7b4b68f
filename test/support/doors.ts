import Echo from 'laravel-echo';
import { type RoomMessage, YamabikoConnector } from '../../echo-connector/src/index.ts';
import { EchoClient } from './echo-client.ts';
import { EventQueue } from './event-queue.ts';
import { mintToken } from './jwt.ts';
import { RawClient } from './raw-client.ts';
import type { ClientVersion, Transport } from './socket-io.ts';
import { WireClient } from './wire-client.ts';

export interface User {
  readonly id: number;
  readonly name: string;
}

/** What a visitor of a room hears, whatever his way in. */
export type Heard =
  | { readonly type: 'joined' | 'left'; readonly user: string }
  | {
      readonly type: 'message';
      readonly sender: { readonly id: unknown; readonly name: string };
      readonly data: unknown;
    };

/** Somebody in a room. */
export interface Visitor {
  readonly user: User;
  /** Names in the list that he was given when he came in. */
  readonly list: readonly string[];
  readonly heard: EventQueue<Heard>;
  /** Sends to the room; only where the door can. @returns the code of a refusal, or 'ok' */
  send(data: object): Promise<string>;
  leave(): Promise<void>;
}

/** A way into a room. */
export interface Door {
  readonly name: string;
  /** Clients without a JWT whisper, but send no room messages. */
  readonly sends: boolean;
  enter(url: string, room: string, user: User): Promise<Visitor>;
}

const userName = (member: { user_info: { name: string } }) => member.user_info.name;

async function enterRaw(url: string, room: string, user: User): Promise<Visitor> {
  const client = new RawClient({
    url,
    token: mintToken({ ...user, channel: room }),
    name: `${user.name} (raw)`,
  });
  const heard = new EventQueue<Heard>(`${user.name} (raw)`);
  // Before anything is awaited: what comes right behind the first frame is emitted in the same turn as that.
  client.socket.on('message', (bytes) => {
    const frame = JSON.parse(String(bytes));
    if (frame.type === 'message') heard.push({ type: 'message', sender: frame.sender, data: frame.data });
    if (frame.type === 'connectOther') heard.push({ type: 'joined', user: frame.data.user.name });
    if (frame.type === 'disconnectOther') heard.push({ type: 'left', user: frame.data.user.name });
  });
  const { users } = await client.next('connected');
  return {
    user,
    list: users.map((u: User) => u.name),
    heard,
    async send(data) {
      const { ok, error } = await client.request(data);
      return ok ? 'ok' : error.code;
    },
    leave: () => client.close(),
  };
}

const enterEcho =
  (version: ClientVersion, transports: readonly Transport[]) =>
  async (url: string, room: string, user: User): Promise<Visitor> => {
    const name = `${user.name} (Echo, client ${version})`;
    const client = await EchoClient.open({
      url,
      version,
      transports,
      bearer: `${user.id}:${user.name}`,
      name,
    });
    const heard = new EventQueue<Heard>(name);
    const subscription = client.join(room);
    const channel = subscription.channel as unknown as {
      joining(f: (u: User) => void): void;
      leaving(f: (u: User) => void): void;
      listen(event: string, f: (message: RoomMessage) => void): void;
    };
    channel.joining((u) => heard.push({ type: 'joined', user: u.name }));
    channel.leaving((u) => heard.push({ type: 'left', user: u.name }));
    channel.listen('.message', (m) => heard.push({ type: 'message', sender: m.sender, data: m.data }));
    const { payload } = await subscription.next('here');
    return {
      user,
      list: payload.map((u: User) => u.name),
      heard,
      send: () => Promise.reject(new Error('this door has no send')),
      leave: async () => client.close(),
    };
  };

/** The custom protocol's subscription on Socket.IO, by hand. */
const enterToken =
  (prefix: '' | 'presence-') =>
  async (url: string, room: string, user: User): Promise<Visitor> => {
    const name = `${user.name} (JWT on Socket.IO)`;
    const client = await WireClient.open({ url, name });
    const heard = new EventQueue<Heard>(name);
    client.socket.on('presence:joining', (_w: string, m: never) =>
      heard.push({ type: 'joined', user: userName(m) }),
    );
    client.socket.on('presence:leaving', (_w: string, m: never) =>
      heard.push({ type: 'left', user: userName(m) }),
    );
    client.socket.on('message', (_w: string, m: RoomMessage) =>
      heard.push({ type: 'message', sender: m.sender, data: m.data }),
    );
    const wire = prefix + room;
    const ack = await client.subscribe(wire, { token: mintToken({ ...user, channel: room }) });
    if (!ack.ok) throw new Error(`${name} was refused: ${JSON.stringify(ack)}`);
    const { args } = await client.next('presence:subscribed');
    return {
      user,
      list: args[1].map(userName),
      heard,
      async send(data) {
        const { ok, error } = await client.send(wire, data);
        return ok ? 'ok' : error.code;
      },
      leave: async () => client.close(),
    };
  };

async function enterConnector(url: string, room: string, user: User): Promise<Visitor> {
  const name = `${user.name} (connector)`;
  const heard = new EventQueue<Heard>(name);
  const echo = new Echo({
    broadcaster: YamabikoConnector,
    host: url,
    token: (channel: string) => mintToken({ ...user, channel }),
    transports: ['websocket'],
    withoutInterceptors: true,
  } as never);
  const channel = echo.channel(room) as unknown as ConnectorChannel;
  const list = await new Promise<User[]>((resolve, reject) => {
    channel
      .here(resolve)
      .error((refusal) => reject(new Error(`${name} was refused: ${JSON.stringify(refusal)}`)));
    channel.joining((u) => heard.push({ type: 'joined', user: u.name }));
    channel.leaving((u) => heard.push({ type: 'left', user: u.name }));
    channel.onMessage((m) => heard.push({ type: 'message', sender: m.sender, data: m.data }));
  });
  return {
    user,
    list: list.map((u) => u.name),
    heard,
    send: (data) =>
      channel.send(data).then(
        () => 'ok',
        (error: { code: string }) => error.code,
      ),
    leave: async () => echo.disconnect(),
  };
}

interface ConnectorChannel {
  here(f: (users: User[]) => void): ConnectorChannel;
  joining(f: (user: User) => void): ConnectorChannel;
  leaving(f: (user: User) => void): ConnectorChannel;
  onMessage(f: (message: RoomMessage) => void): ConnectorChannel;
  error(f: (refusal: unknown) => void): ConnectorChannel;
  send(data: object): Promise<void>;
}

/** Every way into one room (protocol.md section 1, the table). */
export const DOORS: readonly Door[] = [
  { name: 'raw WebSocket', sends: true, enter: enterRaw },
  { name: 'Echo on socket.io-client 2', sends: false, enter: enterEcho(2, ['websocket']) },
  { name: 'Echo on socket.io-client 3', sends: false, enter: enterEcho(3, ['websocket']) },
  { name: 'Echo on socket.io-client 4', sends: false, enter: enterEcho(4, ['websocket']) },
  { name: 'Echo on socket.io-client 2, polling', sends: false, enter: enterEcho(2, ['polling']) },
  { name: 'Echo on socket.io-client 4, polling', sends: false, enter: enterEcho(4, ['polling']) },
  { name: 'JWT on Socket.IO, plain X', sends: true, enter: enterToken('') },
  { name: 'JWT on Socket.IO, presence-X', sends: true, enter: enterToken('presence-') },
  { name: 'Echo through the connector', sends: true, enter: enterConnector },
];

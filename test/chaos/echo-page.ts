import Echo from 'laravel-echo';
import { YamabikoConnector } from '../../echo-connector/src/index.ts';
import { mintToken } from '../support/jwt.ts';
import { type ClientSocket, clientOptions, hearAll, socketIo } from '../support/socket-io.ts';
import { commandPacket, Uplink } from '../support/uplink.ts';
import type { ClusterNode } from './cluster-node.ts';
import { eventId } from './journal.ts';
import { Page, type PageCompany } from './page.ts';
import type { LinePlan, PageCasting } from './page-scene.ts';
import { baseOf } from './scene.ts';

/** What a channel of Echo's own connector and one of ours have in common. */
interface PageChannel {
  // biome-ignore lint/suspicious/noExplicitAny: payloads of every shape
  on(event: string, callback: (data: any) => void): unknown;
  subscribe(): void;
  whisper?(event: string, data: object): unknown;
  /** Our connector's. */
  send?(data: object): Promise<void>;
}

interface Opener {
  channel(name: string): PageChannel;
  private(name: string): PageChannel;
  join(name: string): PageChannel;
  leaveChannel(wire: string): void;
  disconnect(): void;
  readonly connector: { readonly socket: ClientSocket };
}

/** Inner members of socket.io-client 4.8: what a network does to it from outside. */
interface Engine {
  close(): void;
  _onPacket(packet: unknown): void;
  readonly transport: {
    readonly ws?: { onmessage: (() => void) | null; terminate?(): void };
    onPacket(packet: unknown): void;
  };
}

interface Manager {
  uri: string;
  readonly engine?: Engine;
  on(event: 'reconnect_attempt' | 'reconnect', listener: () => void): void;
}

const CONNECT_MS = 4_000;
/** How often the rest of what it sends in one turn comes late when it is back, and how late. */
const LATE = { chance: 0.3, leastMs: 100, mostMs: 2_500 };
/** What a page's own code does where it was refused. */
const RETRY_MS = 300;

/** A page with laravel-echo 2.5, unmodified or with our connector. */
export class EchoPage extends Page {
  readonly #plan: PageCasting['plan'];
  readonly #channels = new Map<string, PageChannel>();
  #echo: Opener | null = null;
  #target: ClusterNode | null = null;
  #uplink: Uplink | null = null;
  /** Of the event that is heard now. */
  #position: string | null = null;

  constructor(casting: PageCasting, company: PageCompany) {
    super(casting, company);
    this.#plan = casting.plan;
  }

  enter(): void {
    this.#target = this.company.pickNode();
    const { url } = this.#target;
    const ours = this.#plan.door === 'connector';
    const tokens = new Set(this.plans.filter(({ kind }) => kind === 'token').map(({ wire }) => wire));
    const options = {
      ...clientOptions({ url, transports: this.#plan.transports }),
      timeout: CONNECT_MS,
      host: url,
      namespace: false,
      withoutInterceptors: true,
      auth: { headers: { Authorization: `Bearer ${this.userId}:${this.user.name}` } },
      ...(ours
        ? {
            broadcaster: YamabikoConnector,
            retryDelayMs: RETRY_MS,
            token: (channel: string) => (tokens.has(channel) ? mintToken({ ...this.user, channel }) : null),
          }
        : { broadcaster: 'socket.io', client: socketIo(4) }),
    };
    const echo = new Echo(options as never) as unknown as Opener;
    this.#echo = echo;
    const { socket } = echo.connector;
    const manager = socket.io as unknown as Manager;
    manager.on('reconnect_attempt', () => {
      this.#target = this.company.pickNode();
      manager.uri = this.#target.url;
    });
    manager.on('reconnect', () => this.#delay(socket));
    socket.on('connect', () => this.connected(this.#target, socket.id ?? ''));
    socket.on('disconnect', (reason: string) => this.disconnected(reason));
    hearAll(socket, ({ event, args, position }) => {
      this.#position = position ?? null;
      this.came(this.#position, event === 'subscription_succeeded');
      // With a channel's name it sets the page back; without, it tells how far all are.
      if (event === 'subscription_position' && args[0] !== '') this.tell(`set back by ${args[0]}`);
    });
    for (const line of this.plans) this.#open(line);
  }

  leave(): void {
    this.#echo?.disconnect();
    this.disconnected('leaves');
  }

  rejoin(): void {
    if (!this.online || this.#echo === null) return;
    const line = this.company.random.pick(this.plans);
    this.tell(`leaves ${line.wire} and takes it again`);
    this.closed(line.wire);
    this.#echo.leaveChannel(line.wire);
    this.#open(line);
  }

  protected swallow(): void {
    const engine = this.#engine;
    if (engine === undefined) return;
    const { transport } = engine;
    if (transport.ws !== undefined) transport.ws.onmessage = () => {};
    else transport.onPacket = () => {};
    // Of the transport that it may go over to meanwhile.
    engine._onPacket = () => {};
  }

  protected breakTransport(): void {
    this.#uplink?.lose();
    const ws = this.#engine?.transport.ws;
    // A polling client's network cannot be cut from here; it closes.
    if (ws?.terminate !== undefined) ws.terminate();
    else this.#engine?.close();
  }

  protected whisper(wire: string, data: object): void {
    this.#channels.get(wire)?.whisper?.('chaos', data);
  }

  protected send(wire: string, data: object): void {
    // Refused in an outage, or its outcome unknown: the journal says what became of it.
    this.#channels
      .get(wire)
      ?.send?.(data)
      .catch(() => this.company.recorder.count('sends of pages refused'));
  }

  get #engine(): Engine | undefined {
    return (this.#echo?.connector.socket.io as unknown as Manager | undefined)?.engine;
  }

  #open({ wire, kind }: LinePlan): void {
    const echo = this.#echo as Opener;
    const channel =
      kind === 'private'
        ? echo.private(baseOf(wire))
        : kind === 'presence'
          ? echo.join(baseOf(wire))
          : echo.channel(wire);
    this.#channels.set(wire, channel);
    for (const event of ['App\\Events\\Chaos', 'client-chaos'])
      channel.on(event, (data) => this.heard(wire, eventId(data.message, wire), this.#position));
    channel.on('message', (data) =>
      this.heard(wire, data.sender === undefined ? data.message : data.data.message, this.#position),
    );
    channel.on('subscription_succeeded', (info) => this.opened(wire, info));
    channel.on('subscription_gap', (data) => this.toldOfGap(wire, data.reason));
    channel.on('subscription_error', (status) => this.#refused(wire, channel, status));
  }

  /** Its way to the server is a bad one for a while: after the first subscribe nothing gets through. */
  #delay(socket: ClientSocket): void {
    const { random } = this.company;
    this.#uplink = null;
    if (!random.chance(LATE.chance)) return;
    const uplink = Uplink.of(socket, commandPacket('subscribe'));
    const ms = Math.round(random.between(LATE.leastMs, LATE.mostMs));
    this.#uplink = uplink;
    this.tell(`what it sends after its first subscribe comes ${ms} ms late`);
    setTimeout(() => uplink.release(), ms);
  }

  /** Our connector tries again by itself. */
  #refused(wire: string, channel: PageChannel, status: unknown): void {
    this.company.recorder.count(`subscribe of a page refused: ${status}`);
    this.tell(`${wire} refused: ${status}`);
    this.closed(wire);
    if (this.#plan.door === 'connector') return;
    const { node } = this;
    setTimeout(() => {
      if (this.node === node && this.#channels.get(wire) === channel && !this.isLive(wire))
        channel.subscribe();
    }, RETRY_MS);
  }
}

import type { WebSocket } from 'ws';
import { type AuthEndpoint, type AuthQuestion, startAuthEndpoint } from '../support/auth-endpoint.ts';
import { EchoClient, type EchoClientOptions } from '../support/echo-client.ts';
import { RawClient, type RawFrame, type RawOptions } from '../support/raw-client.ts';
import { RedisServer } from '../support/redis-server.ts';
import type { ClientSocket } from '../support/socket-io.ts';
import { WireClient, type WireOptions } from '../support/wire-client.ts';
import { type LogLine, type Running, startYamabiko, until } from '../support/yamabiko.ts';
import { Ways } from './recovery-ways.ts';

/** Where the same stories are told: a client that was cut comes back to the node, or to the other node. */
export const PLACES = ['in memory', 'on two nodes of one Redis'] as const;
export type Place = (typeof PLACES)[number];

const PREFIX = 'laravel_database_';

interface Closable {
  close(): void | Promise<void>;
}

interface Cuttable {
  cut(): void | Promise<void>;
}

type Answer = (question: AuthQuestion) => Promise<{ status: number; body: string } | null> | null;

/** Nodes that keep a history, and the clients that a story opens on them, one after the other on each. */
export class RecoveryStage {
  readonly nodes: readonly Running[];
  readonly auth: AuthEndpoint;
  /** Answers in place of the usual auth endpoint, where it is set. */
  answer: Answer | null = null;
  readonly #redis: RedisServer | null;
  readonly #clients: Closable[] = [];
  readonly #ways: Ways;
  #fences = 0;

  private constructor(nodes: readonly Running[], auth: AuthEndpoint, redis: RedisServer | null) {
    this.nodes = nodes;
    this.auth = auth;
    this.#redis = redis;
    this.#ways = new Ways(nodes.map(({ url }) => url));
  }

  static async start(
    env: Readonly<Record<string, string>> = {},
    place: Place = 'in memory',
  ): Promise<RecoveryStage> {
    const ask: { stage: RecoveryStage | null } = { stage: null };
    const auth = await startAuthEndpoint((question) => ask.stage?.answer?.(question) ?? null);
    const redis = place === 'in memory' ? null : await RedisServer.start();
    const settings = { YAMABIKO_AUTH_URL: auth.url, YAMABIKO_APPS: 'app:key' };
    const start = (more: Readonly<Record<string, string>>) => startYamabiko({ ...settings, ...more, ...env });
    // All share one process: a slow step is no outage.
    const shared =
      redis === null ? {} : { YAMABIKO_REDIS_URL: redis.url, YAMABIKO_REDIS_COMMAND_TIMEOUT_MS: '15000' };
    const nodes = await Promise.all((redis === null ? [0] : [0, 1]).map(() => start(shared)));
    ask.stage = new RecoveryStage(nodes, auth, redis);
    return ask.stage;
  }

  /** Ends the clients of a story; then nothing may be left. */
  async clear(): Promise<void> {
    this.answer = null;
    for (const client of this.#clients.splice(0)) await client.close();
    try {
      for (const node of this.nodes) await node.settledToZero();
    } finally {
      // By polling the farewell still goes through.
      await this.#ways.close();
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.#redis?.stop();
    await this.auth.stop();
  }

  /** The first node, for stories that have but one. */
  get node(): Running {
    return this.#node(0);
  }

  /** A node, without a balancer before it: each time the next. */
  get url(): string {
    return this.#ways.url;
  }

  /** An unmodified page of user 7, grace. */
  page(options: Partial<EchoClientOptions> = {}): Promise<EchoClient> {
    const authHeaders = { Authorization: 'Bearer 7:grace' };
    return this.open((url) => EchoClient.open({ url, authHeaders, ...options }));
  }

  wire(options: Partial<WireOptions> = {}): Promise<WireClient> {
    return this.open((url) => WireClient.open({ url, ...options }));
  }

  raw(options: Partial<RawOptions> = {}): Promise<RawClient & { readonly connected: RawFrame }> {
    return this.open((url) => RawClient.join({ url, ...options }));
  }

  /**
   * Any other client, which ends with its story.
   * @param former whose page was loaded anew: this one has the same URL, and comes to the next node
   */
  async open<C extends Closable>(connect: (url: string) => Promise<C>, former?: object): Promise<C> {
    const client = await this.#ways.open(connect, former);
    this.#clients.push(client);
    return client;
  }

  /** As Laravel does. @param channel its name without Redis prefix */
  async publishBytes(channel: string, payload: string): Promise<void> {
    if (this.#redis === null) await this.#node(0).server.publish(channel, payload);
    else await this.#redis.client.publish(`${PREFIX}${channel}`, payload);
  }

  /** An event of Laravel's that is told from others by its number. */
  publish(channel: string, n: number, socket: string | null = null, pad?: string): Promise<void> {
    return this.publishBytes(channel, JSON.stringify({ event: 'counted', data: { n, pad }, socket }));
  }

  /** Many of them, some at a time. */
  async publishAll(channel: string, numbers: readonly number[], pad?: string): Promise<void> {
    for (let at = 0; at < numbers.length; at += 200)
      await Promise.all(numbers.slice(at, at + 200).map((n) => this.publish(channel, n, null, pad)));
  }

  /** A message of a room, by the custom channel. */
  say(channel: string, message: string, more: object = {}): Promise<void> {
    const data = { message, name: 'n', ...more };
    return this.publishBytes('broadcast', JSON.stringify({ channel, data, type: 'message' }));
  }

  /** Resolves when all that was published until now is in every node's history. */
  async spread(): Promise<void> {
    if (this.#redis === null) return;
    const fence = `fence-${++this.#fences}`;
    const watchers = await Promise.all(this.nodes.map(({ url }) => WireClient.open({ url })));
    await Promise.all(watchers.map((watcher) => watcher.subscribe(fence)));
    await this.publish(fence, 0);
    await Promise.all(watchers.map((watcher) => watcher.next('counted')));
    for (const watcher of watchers) watcher.close();
  }

  /**
   * Cuts a client, and does something while it is away. Then a Socket.IO client comes back by itself, to the next node;
   * all that was published meanwhile is there by then.
   */
  async away(client: Cuttable, meanwhile: () => Promise<unknown>): Promise<void> {
    const way = this.#ways.of(client);
    const before = this.#connections();
    way.open = false;
    await client.cut();
    await until(() => this.#connections() < before, 'the server notices the cut');
    await meanwhile();
    await this.spread();
    this.#ways.letBack(way);
    if ('connected' in client && typeof client.connected === 'function') await client.connected();
  }

  /**
   * A page sleeps: nothing goes through its connection, and nobody is told. It wakes on the next node, when the server
   * has given it up and more has happened.
   */
  async asleep(
    client: { readonly socket: ClientSocket; connected(): Promise<void> },
    early: () => Promise<unknown>,
    late: () => Promise<unknown>,
  ): Promise<void> {
    const way = this.#ways.of(client);
    const before = this.#connections();
    const lost = new Promise<void>((resolve) => client.socket.on('disconnect', resolve));
    way.open = false;
    way.freeze();
    await early();
    await until(() => this.#connections() < before, 'the server gives it up');
    await late();
    await this.spread();
    this.#ways.letBack(way);
    way.cut();
    await lost;
    await client.connected();
  }

  /** Of all nodes together. */
  held(what: 'members' | 'channels' | 'echo'): number {
    const count = ({ members, channels, connections }: ReturnType<Running['snapshot']>) =>
      ({ members, channels, echo: connections.echo ?? 0 })[what];
    return this.nodes.reduce((sum, node) => sum + count(node.snapshot()), 0);
  }

  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const values = await Promise.all(this.nodes.map((node) => node.metric(name, labels)));
    return values.reduce((sum, value) => sum + value, 0);
  }

  get log(): readonly LogLine[] {
    return this.nodes.flatMap(({ log }) => log);
  }

  #connections(): number {
    return this.nodes
      .flatMap((node) => Object.values(node.snapshot().connections))
      .reduce((sum, count) => sum + count, 0);
  }

  #node(index: number): Running {
    return this.nodes[index % this.nodes.length] as Running;
  }
}

/** The numbers of the events that a page heard on a channel, in order, from now on. */
export function numbersOf(page: EchoClient, name: string, kind: 'channel' | 'private' | 'join' = 'channel') {
  const numbers: number[] = [];
  page[kind](name).channel.listen('counted', (payload) => numbers.push((payload as { n: number }).n));
  return numbers;
}

export function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, i) => i + 1);
}

/**
 * Breaks a WebSocket as a network does: what the page has received so far it still handles. (`cut`, in the midst of
 * events, leaves some in socket.io-client's buffer, which it hands over after the reconnect, as no network makes it do.)
 */
export function breakWebSocket(page: EchoClient): void {
  webSocketOf(page).terminate();
}

/** The WebSocket of a client that is on one. */
export function webSocketOf({ socket }: EchoClient | WireClient): WebSocket {
  const { transport } = socket.io.engine as unknown as { transport: { ws: WebSocket } };
  return transport.ws;
}

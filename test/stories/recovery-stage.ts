import type { WebSocket } from 'ws';
import { type AuthEndpoint, type AuthQuestion, startAuthEndpoint } from '../support/auth-endpoint.ts';
import { EchoClient, type EchoClientOptions } from '../support/echo-client.ts';
import { RawClient, type RawFrame, type RawOptions } from '../support/raw-client.ts';
import { WireClient, type WireOptions } from '../support/wire-client.ts';
import { type Running, startYamabiko, until } from '../support/yamabiko.ts';

interface Cuttable {
  cut(): void | Promise<void>;
}

/** A node that keeps a history, and the clients that a story opens on it. */
export class RecoveryStage {
  readonly node: Running;
  readonly auth: AuthEndpoint;
  /** Answers in place of the usual auth endpoint, where it is set. */
  answer: ((question: AuthQuestion) => Promise<{ status: number; body: string } | null> | null) | null = null;
  readonly #clients: { close(): void | Promise<void> }[] = [];

  private constructor(node: Running, auth: AuthEndpoint) {
    this.node = node;
    this.auth = auth;
  }

  static async start(env: Readonly<Record<string, string>> = {}): Promise<RecoveryStage> {
    const ask: { stage: RecoveryStage | null } = { stage: null };
    const auth = await startAuthEndpoint((question) => ask.stage?.answer?.(question) ?? null);
    const node = await startYamabiko({ YAMABIKO_AUTH_URL: auth.url, YAMABIKO_APPS: 'app:key', ...env });
    ask.stage = new RecoveryStage(node, auth);
    return ask.stage;
  }

  /** Ends the clients of a story; then nothing may be left. */
  async clear(): Promise<void> {
    this.answer = null;
    for (const client of this.#clients.splice(0)) await client.close();
    await this.node.settledToZero();
  }

  async stop(): Promise<void> {
    await this.node.stop();
    await this.auth.stop();
  }

  /** An unmodified page of user 7, grace. */
  async page(options: Partial<EchoClientOptions> = {}): Promise<EchoClient> {
    const authHeaders = { Authorization: 'Bearer 7:grace' };
    return this.#keep(await EchoClient.open({ url: this.node.url, authHeaders, ...options }));
  }

  async wire(options: Partial<WireOptions> = {}): Promise<WireClient> {
    return this.#keep(await WireClient.open({ url: this.node.url, ...options }));
  }

  async raw(options: Partial<RawOptions> = {}): Promise<RawClient & { readonly connected: RawFrame }> {
    return this.#keep(await RawClient.join({ url: this.node.url, ...options }));
  }

  /** An event of Laravel's that is told from others by its number. */
  publish(channel: string, n: number, socket: string | null = null, pad?: string): Promise<void> {
    return this.node.server.publish(channel, JSON.stringify({ event: 'counted', data: { n, pad }, socket }));
  }

  /** A message of a room, by the custom channel. */
  say(channel: string, message: string, more: object = {}): Promise<void> {
    const data = { message, name: 'n', ...more };
    return this.node.server.publish('broadcast', JSON.stringify({ channel, data, type: 'message' }));
  }

  /** Cuts a client, and does something while it is away. A Socket.IO client comes back by itself. */
  async away(client: Cuttable, meanwhile: () => Promise<unknown>): Promise<void> {
    const before = this.#connections();
    await client.cut();
    await until(() => this.#connections() < before, 'the server notices the cut');
    await meanwhile();
    if ('connected' in client && typeof client.connected === 'function') await client.connected();
  }

  #connections(): number {
    return Object.values(this.node.snapshot().connections).reduce((sum, count) => sum + count, 0);
  }

  #keep<C extends { close(): void | Promise<void> }>(client: C): C {
    this.#clients.push(client);
    return client;
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

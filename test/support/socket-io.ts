import type { Agent } from 'node:http';
import { io as io4 } from 'socket.io-client';
import io2 from 'socket.io-client-v2';
import { io as io3 } from 'socket.io-client-v3';
import { patience } from './event-queue.ts';

/** The major version of socket.io-client. 2 speaks Engine.IO 3. */
export type ClientVersion = 2 | 3 | 4;

export const CLIENT_VERSIONS: readonly ClientVersion[] = [2, 3, 4];

export type Transport = 'websocket' | 'polling';

/** What all three versions have in common, as far as tests use it. */
export interface ClientSocket {
  readonly id: string | undefined;
  readonly connected: boolean;
  readonly io: ClientManager;
  on(event: string, listener: (...args: never[]) => void): unknown;
  off(event: string, listener: (...args: never[]) => void): unknown;
  emit(event: string, ...args: unknown[]): unknown;
  connect(): unknown;
  disconnect(): unknown;
  close(): unknown;
}

interface ClientManager {
  readonly engine: { close(): void; readonly transport: { readonly name: string } };
  /** Whether it connects again by itself. */
  reconnection(): boolean;
}

export interface SocketIoOptions {
  /** The server, `http://127.0.0.1:1234`. */
  readonly url: string;
  /** Default 4. */
  readonly version?: ClientVersion;
  /** Default websocket alone. `['polling', 'websocket']` upgrades as browsers do. */
  readonly transports?: readonly Transport[];
  /** Headers of the handshake, `Cookie` among them; in Node all versions send them on both transports. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Client >= 3: the `auth` of CONNECT. */
  readonly auth?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly reconnection?: boolean;
  readonly path?: string;
  /** Whence it connects, and which certificates it trusts. */
  readonly agent?: Agent;
}

/** The `io` function of a version: what a page hands to Echo as `client`. */
export function socketIo(version: ClientVersion): (url: string, options?: object) => ClientSocket {
  const io: unknown = { 2: io2, 3: io3, 4: io4 }[version];
  return io as (url: string, options?: object) => ClientSocket;
}

/** Options as all versions understand them. Never a shared manager: two clients of one test are two connections. */
export function clientOptions(options: SocketIoOptions): Record<string, unknown> {
  const { transports = ['websocket'], headers, auth, query, reconnection = true, path, agent } = options;
  return {
    forceNew: true,
    transports: [...transports],
    reconnection,
    // Reconnects are awaited by tests; the usual second of delay would only make them slow.
    reconnectionDelay: 50,
    reconnectionDelayMax: 200,
    // A connection that is slow on a busy machine is none that failed.
    timeout: Math.max(20_000, patience.ms),
    ...(headers === undefined ? {} : { extraHeaders: { ...headers } }),
    ...(auth === undefined ? {} : { auth: { ...auth } }),
    ...(query === undefined ? {} : { query: { ...query } }),
    ...(path === undefined ? {} : { path }),
    ...(agent === undefined ? {} : { agent }),
  };
}

/** A Socket.IO event. Echo's events have the channel's wire name as first argument. */
export interface WireEvent {
  readonly event: string;
  /** Without the position that stands behind all others where the server keeps a history. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into arguments of every shape
  readonly args: readonly any[];
  readonly position?: string;
  /** As they arrived. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into arguments of every shape
  readonly all?: readonly any[];
}

/** @param all arguments as they arrived */
function wireEvent(event: string, all: readonly unknown[]): WireEvent {
  const last = all.at(-1);
  const position = all.length > 1 && typeof last === 'string' && /^\d+-\d+$/.test(last) ? last : undefined;
  const args = position === undefined ? all : all.slice(0, -1);
  // Not enumerable: most tests compare an event with what it was before there were positions.
  return Object.defineProperties({ event, args }, { position: { value: position }, all: { value: all } });
}

/** Hears every event, whoever listens besides; 2.x has no onAny. */
export function hearAll(socket: ClientSocket, hear: (event: WireEvent) => void): void {
  const patched = socket as unknown as {
    onAny?: (listener: (event: string, ...args: unknown[]) => void) => void;
    onevent: (packet: { data?: [string, ...unknown[]] }) => void;
  };
  if (patched.onAny !== undefined) {
    patched.onAny((event, ...args) => hear(wireEvent(event, args)));
    return;
  }
  const onevent = patched.onevent;
  patched.onevent = function (packet) {
    const [event = '', ...args] = packet.data ?? [];
    onevent.call(this, packet);
    hear(wireEvent(event, args));
  };
}

/**
 * Resolves when connected. Rejects with the server's refusal; with a transport's failure only where the client does
 * not try again by itself.
 */
export async function connected(socket: ClientSocket, timeoutMs = patience.ms): Promise<void> {
  if (socket.connected) return;
  const failure = new Error();
  const { promise, resolve, reject } = promiseWithResolvers();
  let last = 'nothing was heard';
  const refuse = (error: unknown) => {
    last = error instanceof Error ? error.message : JSON.stringify(error);
    const transient = (error as { type?: unknown } | null)?.type === 'TransportError';
    if (!transient || !socket.io.reconnection()) reject(error instanceof Error ? error : new Error(last));
  };
  const timer = setTimeout(() => {
    failure.message = `the client did not connect in ${timeoutMs} ms: ${last}`;
    reject(failure);
  }, timeoutMs);
  socket.on('connect', resolve);
  socket.on('connect_error', refuse);
  // 2.x tells a middleware's refusal by `error`.
  socket.on('error', refuse);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    socket.off('connect', resolve);
    socket.off('connect_error', refuse);
    socket.off('error', refuse);
  }
}

function promiseWithResolvers(): {
  promise: Promise<void>;
  resolve: () => void;
  reject: (error: Error) => void;
} {
  let resolve: () => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

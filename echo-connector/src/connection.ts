import type { Socket } from 'socket.io-client';
import type { ConnectionStatus } from './connection-status.ts';
import { guardedCall } from './guarded-call.ts';
import { type Refusal, refusalOf } from './wire.ts';

/** What came back for a question: the server's answer, still foreign, or the reason why none came. */
export type Answer =
  | { readonly came: true; readonly value: unknown }
  | { readonly came: false; readonly refusal: Refusal };

/** Who is told of the connection's ups and downs, and of every event of the server. */
export interface ConnectionListener {
  up(): void;
  /** `final`: it will not come back by itself. */
  down(final: boolean): void;
  event(name: string, args: readonly unknown[]): void;
}

/**
 * The one Socket.IO connection, with Echo's five states. Each change is told once, in order: a connection that is
 * lost is `disconnected` first, and then what becomes of it, `reconnecting` or `failed`.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #listener: ConnectionListener;
  readonly #callbacks = new Set<(status: ConnectionStatus) => void>();
  #status: ConnectionStatus;

  constructor(socket: Socket, listener: ConnectionListener) {
    this.#socket = socket;
    this.#listener = listener;
    this.#status = socket.active ? 'connecting' : 'disconnected';
    socket.on('connect', this.#connected);
    socket.on('disconnect', this.#lost);
    socket.on('connect_error', this.#refused);
    socket.io.on('reconnect_attempt', this.#retrying);
    socket.io.on('reconnect_failed', this.#exhausted);
    socket.onAny((name: string, ...args: unknown[]) => listener.event(name, args));
  }

  get status(): ConnectionStatus {
    return this.#status;
  }

  get id(): string | undefined {
    return this.#socket.id;
  }

  get isUp(): boolean {
    return this.#status === 'connected' && this.#socket.connected;
  }

  onChange(callback: (status: ConnectionStatus) => void): () => void {
    // A wrapper of its own for each registration: the same function twice is told twice, and ends twice.
    const own = (status: ConnectionStatus): void => callback(status);
    this.#callbacks.add(own);
    return () => this.#callbacks.delete(own);
  }

  /** Connects again after close() or `failed`; while a connection lives or comes back, nothing. */
  open(): void {
    if (this.#socket.active && this.#status !== 'failed') return;
    this.#change('connecting');
    this.#socket.connect();
  }

  close(): void {
    this.#socket.disconnect();
    // The socket's own event does not come while it is still connecting, or after it failed.
    if (this.#status !== 'disconnected') this.#end('disconnected');
  }

  /** Sends without an answer. Only while up: socket.io-client would send it later, before the subscriptions. */
  tell(event: string, body: object): void {
    if (this.isUp) this.#socket.emit(event, body);
  }

  /**
   * Sends and hands over the answer; the end of the connection or of `timeoutMs` is one, too. By a callback and
   * not by a promise: the answer and the events behind it may come in one packet, and the promise's reader would
   * run after those events.
   */
  ask(event: string, body: object, timeoutMs: number, answered: (answer: Answer) => void): void {
    if (!this.isUp) return answered(noAnswer('not connected: nothing was sent'));
    const settle = (answer: Answer): void => {
      clearTimeout(timer);
      this.#socket.off('disconnect', cut);
      // socket.io-client has no way to withdraw an acknowledgement: one that comes after all finds nobody.
      const first = answered;
      answered = () => {};
      first(answer);
    };
    const cut = (): void => settle(noAnswer('the connection ended before the answer: outcome unknown'));
    const timer = setTimeout(() => settle(noAnswer(`no answer within ${timeoutMs} ms`)), timeoutMs);
    this.#socket.once('disconnect', cut);
    this.#socket.emit(event, body, (value: unknown) => settle({ came: true, value }));
  }

  readonly #connected = (): void => {
    this.#change('connected');
    this.#listener.up();
  };

  readonly #lost = (reason: string): void => {
    if (reason === 'io client disconnect') return this.#end('disconnected');
    // After the server's own disconnect(), or with reconnection off, socket.io-client never comes back.
    const final = !this.#socket.active || !this.#socket.io.reconnection();
    if (this.#status === 'connected') this.#change('disconnected');
    if (final) this.#end('failed');
    else this.#listener.down(false);
  };

  readonly #refused = (): void => {
    // Still active: the server was not reached, and the manager tries again. Otherwise a middleware said no.
    if (!this.#socket.active || !this.#socket.io.reconnection()) this.#end('failed');
  };

  readonly #retrying = (): void => {
    if (this.#socket.active) this.#change('reconnecting');
  };

  readonly #exhausted = (): void => {
    if (this.#socket.active) this.#end('failed');
  };

  #end(status: 'disconnected' | 'failed'): void {
    this.#change(status);
    this.#listener.down(true);
  }

  #change(status: ConnectionStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    for (const callback of [...this.#callbacks]) guardedCall(callback, status);
  }
}

function noAnswer(message: string): Answer {
  return { came: false, refusal: refusalOf('unavailable', message) };
}

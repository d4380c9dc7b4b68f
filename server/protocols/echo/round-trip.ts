import type { Socket } from 'socket.io';

/** Inner members of Engine.IO that are used here; pinned in package.json and held by the stories. */
interface EngineInternals {
  readonly protocol: number;
  on(event: 'packet', listener: (packet: { readonly type: string }) => void): void;
  sendPacket(type: 'ping'): void;
}

/** The revision whose pings come from the client. */
const CLIENT_PINGS = 3;

/**
 * Says when all has come that a client sent in one turn, in however many pieces and however late a network brings it.
 * Engine.IO keeps the order, so that any pong after the first of it comes after the last, too.
 */
export class RoundTrip {
  readonly #engine: EngineInternals;
  #waiting: (() => void)[] = [];

  constructor(socket: Socket) {
    this.#engine = socket.conn as unknown as EngineInternals;
    this.#engine.on('packet', ({ type }) => {
      if (type !== 'pong' || this.#waiting.length === 0) return;
      // As late as Socket.IO hands over a command, and this server begins it: what came before is before.
      process.nextTick(() => queueMicrotask(() => this.#pass()));
    });
  }

  /**
   * Resolves when all that the client sent in the same turn as the command that is handled now has come. Never, where
   * the client is cut before. At once for clients 2, which this server cannot ask.
   */
  async passed(): Promise<void> {
    if (this.#engine.protocol === CLIENT_PINGS) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) this.#engine.sendPacket('ping');
    });
  }

  #pass(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

import type { IncomingMessage } from 'node:http';
import type { Place } from '../../connection/places.ts';
import type { Closure } from '../../domain/outcome.ts';
import type { Doors } from '../../flows/doors.ts';

/** What is used here of Engine.IO's sockets. */
interface Session {
  readonly request: IncomingMessage;
  close(discard: boolean): void;
  once(event: 'close', listener: () => void): void;
}

/**
 * Places for Engine.IO sessions. One is taken by the request that shakes hands, and is the session's once there is one:
 * a session holds memory from then on, whether or not its client ever says which namespace it wants.
 */
export class EchoDoor {
  readonly #doors: Pick<Doors, 'admit'>;
  readonly #timeoutMs: number;
  readonly #late: () => void;
  readonly #places = new WeakMap<IncomingMessage, Place>();
  readonly #timers = new WeakMap<object, NodeJS.Timeout>();

  /**
   * @param timeoutMs from a session's begin to its client's CONNECT
   * @param late told where that did not come
   */
  constructor(doors: Pick<Doors, 'admit'>, timeoutMs: number, late: () => void) {
    this.#doors = doors;
    this.#timeoutMs = timeoutMs;
    this.#late = late;
  }

  /**
   * Asked at a handshake, as often as need be.
   * @param handshake the first request of a session
   * @returns null where it has a place now
   */
  refusalOf(handshake: IncomingMessage): Closure | null {
    if (this.#places.has(handshake)) return null;
    const admission = this.#doors.admit(handshake);
    if (!('free' in admission)) return admission;
    this.#places.set(handshake, admission);
    return null;
  }

  /** The handshake has ended, whichever way: a place that no session has taken is free again. */
  over(handshake: IncomingMessage): void {
    this.#places.get(handshake)?.free();
    this.#places.delete(handshake);
  }

  /** There is a session. */
  opened(session: Session): void {
    const place = this.#places.get(session.request);
    this.#places.delete(session.request);
    if (place === undefined) return session.close(true);
    // Not Socket.IO's own: by polling it would wait half a minute more for a poll that may never come.
    const timer = setTimeout(() => {
      this.#late();
      session.close(true);
    }, this.#timeoutMs);
    this.#timers.set(session, timer);
    session.once('close', () => {
      clearTimeout(timer);
      place.free();
    });
  }

  /** Its client has said what it wants. */
  connected(session: object): void {
    clearTimeout(this.#timers.get(session));
    this.#timers.delete(session);
  }
}

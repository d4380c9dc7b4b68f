import { FrameRun } from './frame-run.ts';

/** What is corked: a net.Socket, or a test's stand-in. */
export interface Corkable {
  cork(): void;
  uncork(): void;
}

/** Who has gathered something that is to leave at the end of the turn. */
export interface Gatherer {
  endTurn(): void;
}

/** Makes all that a socket is sent in one turn of the event loop leave in one system call at its end; one for all sockets. */
export class TickCork {
  #gatherers: Gatherer[] = [];
  #corked = new Set<Corkable>();
  #first: FrameRun | null = null;
  #scheduled = false;

  /** The run that begins with this frame; its gatherer is told of the end of the turn. */
  begin(gatherer: Gatherer, frame: Buffer): FrameRun {
    this.#schedule();
    this.#gatherers.push(gatherer);
    if (this.#first?.is(frame) !== true) this.#first = new FrameRun(frame, null);
    return this.#first;
  }

  /** For a socket to which others write too in this turn: what they write is joined to what was gathered before. */
  cork(socket: Corkable): void {
    if (this.#corked.has(socket)) return;
    this.#schedule();
    socket.cork();
    this.#corked.add(socket);
  }

  /** Sends at once what was joined for a socket so far. */
  flush(socket: Corkable): void {
    if (this.#corked.size === 0 || !this.#corked.has(socket)) return;
    socket.uncork();
    socket.cork();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#end());
  }

  #end(): void {
    const gatherers = this.#gatherers;
    this.#scheduled = false;
    this.#gatherers = [];
    this.#first = null;
    for (const gatherer of gatherers) gatherer.endTurn();
    for (const socket of this.#corked) socket.uncork();
    this.#corked.clear();
  }
}

import type { FrameCounter } from './frame-counter.ts';
import { connectPage } from './targets/echo-client.ts';

const STRANGERS = 10;
/** Commands of each, every so often: ten times what a connection may send. */
const COMMANDS = 5;
const EVERY_MS = 10;

/** Strangers who send far more than they may, and come back at once where they are thrown out. */
export class Flood {
  refused = 0;
  readonly #port: number;
  readonly #timer: NodeJS.Timeout;
  readonly #strangers: (FrameCounter | 'coming')[] = [];

  constructor(port: number) {
    this.#port = port;
    this.#timer = setInterval(() => this.#send(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const stranger of this.#strangers) if (stranger !== 'coming') stranger.close();
  }

  #send(): void {
    for (let i = 0; i < STRANGERS; i++) {
      const stranger = this.#strangers[i];
      if (stranger === undefined || (stranger !== 'coming' && stranger.ended)) void this.#come(i);
      else if (stranger !== 'coming')
        for (let n = 0; n < COMMANDS; n++)
          stranger.send(`42${n}["client event",{"channel":"private-x","event":"client-x","data":{}}]`);
    }
  }

  async #come(index: number): Promise<void> {
    this.#strangers[index] = 'coming';
    const client = await connectPage({ revision: 4, answer: 'event' }, this.#port, (text) => {
      if (text.includes('"ok":false')) this.refused++;
    });
    this.#strangers[index] = client;
  }
}

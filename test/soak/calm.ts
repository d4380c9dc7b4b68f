import type { Redis } from 'ioredis';
import { mintToken } from '../support/jwt.ts';
import { RawClient } from '../support/raw-client.ts';
import { WireClient } from '../support/wire-client.ts';
import { until } from '../support/yamabiko.ts';

const PREFIX = 'laravel_database_';
const EVENT_EVERY_MS = 50;

interface Ear {
  readonly name: string;
  readonly heard: number[];
  close(): unknown;
}

/** Those who do nothing wrong, and must hear everything, once, in its order, without being cut off. */
export class CalmClients {
  readonly #ears: readonly Ear[];
  #sent = 0;
  #cuts: string[] = [];

  private constructor(ears: readonly Ear[], cuts: string[]) {
    this.#ears = ears;
    this.#cuts = cuts;
  }

  static async open(url: string): Promise<CalmClients> {
    const ears: Ear[] = [];
    const cuts: string[] = [];
    for (const transports of [['websocket'], ['websocket'], ['polling']] as const) {
      const name = `calm page by ${transports[0]} ${ears.length}`;
      const client = await WireClient.open({ url, transports, name });
      const heard: number[] = [];
      client.socket.on('Numbered', (_wire: string, { n }: { n: number }) => heard.push(n));
      client.socket.on('disconnect', (reason: string) => cuts.push(`${name}: ${reason}`));
      await client.subscribe('calm');
      ears.push({ name, heard, close: () => client.close() });
    }
    for (const id of [1, 2, 3]) {
      const name = `calm raw client ${id}`;
      const client = await RawClient.join({ url, name, token: mintToken({ id, name, channel: 'calmroom' }) });
      const heard: number[] = [];
      client.socket.on('message', (bytes) => {
        const frame = JSON.parse(String(bytes)) as { type: string; data?: { n?: number } };
        if (frame.type === 'message' && frame.data?.n !== undefined) heard.push(frame.data.n);
      });
      client.socket.on('close', (code) => cuts.push(`${name}: ${code}`));
      ears.push({ name, heard, close: () => client.close() });
    }
    return new CalmClients(ears, cuts);
  }

  /** Publishes numbers as Laravel does, until the signal ends it. */
  async speak(redis: Redis, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const n = ++this.#sent;
      await redis.publish(`${PREFIX}calm`, `{"event":"Numbered","data":{"n":${n}},"socket":null}`);
      await redis.publish(`${PREFIX}broadcast`, `{"channel":"calmroom","data":{"n":${n}}}`);
      await new Promise((resolve) => setTimeout(resolve, EVENT_EVERY_MS));
    }
  }

  get sent(): number {
    return this.#sent;
  }

  /** Resolves when all have heard the last. @returns what was wrong for whom */
  async verdicts(): Promise<string[]> {
    const all = () => this.#ears.every(({ heard }) => heard.at(-1) === this.#sent);
    await until(all, 'all calm clients heard the last event', 30_000).catch(() => {});
    const wrong = this.#ears.flatMap(({ name, heard }) => {
      const at = heard.findIndex((n, i) => n !== i + 1);
      if (at < 0 && heard.length === this.#sent) return [];
      return [`${name} heard ${heard.length} of ${this.#sent}, first wrong at ${at}`];
    });
    return [...wrong, ...this.#cuts];
  }

  async close(): Promise<void> {
    await Promise.all(this.#ears.map((ear) => ear.close()));
  }
}

import { randomUUID } from 'node:crypto';
import type { LogCommands } from './log-commands.ts';
import { decodeMarker } from './marker.ts';

interface OwnMarker {
  readonly nonce: string;
  readonly publishedAtMs: number;
  ackedAtMs: number | null;
  heardAtMs: number | null;
}

/** More than so many are never under way at once: the oldest is given up. */
const MAX_UNDER_WAY = 20;

/** The markers that this node published on one life of its subscriber connection, until they stand in the log. */
export class OwnMarkers {
  readonly #commands: LogCommands;
  readonly #underWay = new Map<string, OwnMarker>();
  #publishedAtMs = Number.NEGATIVE_INFINITY;

  constructor(commands: LogCommands) {
    this.#commands = commands;
  }

  /** The first that was heard and is not in the log yet. */
  get waiting(): { readonly nonce: string; readonly heardAtMs: number } | null {
    for (const { nonce, heardAtMs } of this.#underWay.values())
      if (heardAtMs !== null) return { nonce, heardAtMs };
    return null;
  }

  publish(): void {
    const nonce = randomUUID();
    this.#publishedAtMs = performance.now();
    const marker: OwnMarker = { nonce, publishedAtMs: this.#publishedAtMs, ackedAtMs: null, heardAtMs: null };
    this.#underWay.set(nonce, marker);
    if (this.#underWay.size > MAX_UNDER_WAY) this.#underWay.delete(this.#underWay.keys().next().value ?? '');
    this.#commands.mark(nonce).then(
      () => {
        marker.ackedAtMs = performance.now();
      },
      // Redis is away, which the bus finds out by itself; the next marker comes by the clock.
      () => this.#underWay.delete(nonce),
    );
  }

  heard(payload: Buffer): void {
    const marker = this.#underWay.get(decodeMarker(payload)?.nonce ?? '');
    if (marker !== undefined) marker.heardAtMs ??= performance.now();
  }

  /** It stands in the log: it has done what it was for, and so have those before it. */
  written(nonce: string): void {
    if (!this.#underWay.has(nonce)) return;
    for (const known of this.#underWay.keys()) {
      this.#underWay.delete(known);
      if (known === nonce) return;
    }
  }

  publishedForMs(nowMs: number): number {
    return nowMs - this.#publishedAtMs;
  }

  /** How long the oldest one that Redis took has not been heard. */
  unheardForMs(nowMs: number): number {
    for (const { ackedAtMs, heardAtMs } of this.#underWay.values())
      if (ackedAtMs !== null && heardAtMs === null) return nowMs - ackedAtMs;
    return 0;
  }

  /** This process stood still: what it has not heard may wait in its socket. */
  forgive(): void {
    for (const [nonce, { heardAtMs }] of this.#underWay) if (heardAtMs === null) this.#underWay.delete(nonce);
  }
}

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisConnections } from '../redis/redis-connections.ts';

/**
 * - `heard`: a publish came back, and with it all that was published before.
 * - `silent`: Redis did not answer; nothing says that anything is lost.
 * - `deaf`: Redis took the publish, but the subscriber's connection did not bring it (a failover can leave one).
 * - `lost`: a connection ended meanwhile.
 */
export type ProbeVerdict = 'heard' | 'silent' | 'deaf' | 'lost';

type Publish = (name: string, token: string) => Promise<unknown>;

/** Publishes on a channel of this node and waits to hear it. An open socket proves nothing. */
export class RedisProbe {
  readonly redisName: string;
  /** What the last probe that was heard took to come back, in milliseconds; null before the first. */
  lagMs: number | null = null;
  readonly #connections: RedisConnections;
  readonly #publish: Publish;
  readonly #awaited = new Map<string, (verdict: ProbeVerdict) => void>();

  /** @param publish default: as any program does */
  constructor(
    connections: RedisConnections,
    nodeId: string,
    publish: Publish = (name, token) => connections.command.publish(name, token),
  ) {
    this.#connections = connections;
    this.#publish = publish;
    // No client's channel begins with #: nobody can listen in, or send here.
    this.redisName = `${connections.settings.prefix}#yamabiko:probe:${nodeId}`;
  }

  /** @param publish where another Redis is meant than ours. @throws Error what Redis answered (NOPERM) */
  async run(publish: Publish = this.#publish): Promise<ProbeVerdict> {
    const token = randomUUID();
    const answered = new AbortController();
    const verdict = new Promise<ProbeVerdict>((settle) => this.#awaited.set(token, settle));
    const startMs = performance.now();
    try {
      const outcome = await Promise.race([
        verdict,
        this.#unheard(publish(this.redisName, token), answered.signal),
      ]);
      if (outcome === 'heard') this.lagMs = performance.now() - startMs;
      return outcome;
    } finally {
      answered.abort();
      this.#awaited.delete(token);
    }
  }

  heard(payload: Buffer): void {
    this.#awaited.get(payload.toString())?.('heard');
  }

  connectionLost(): void {
    for (const settle of this.#awaited.values()) settle('lost');
  }

  /** Settles with what it means that the probe has not been heard by then. */
  async #unheard(published: Promise<unknown>, signal: AbortSignal): Promise<ProbeVerdict> {
    try {
      await published;
    } catch (err) {
      if (this.#connections.refusal(err)) throw err;
      return 'silent';
    }
    await sleep(this.#connections.settings.commandTimeoutMs, null, { signal }).catch(() => null);
    return 'deaf';
  }
}

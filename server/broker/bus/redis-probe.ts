import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { RedisConnections } from '../redis/redis-connections.ts';

/**
 * - `heard`: a publish came back, and with it all that was published before.
 * - `silent`: Redis did not answer; nothing says that anything is lost.
 * - `deaf`: Redis took the publish, but the subscriber's connection did not bring it (a failover can leave one).
 * - `lost`: a connection ended meanwhile.
 */
export type ProbeVerdict = 'heard' | 'silent' | 'deaf' | 'lost';

/** Publishes on a channel of this node and waits to hear it. An open socket proves nothing. */
export class RedisProbe {
  readonly redisName: string;
  /** What the last probe that was heard took to come back, in milliseconds; null before the first. */
  lagMs: number | null = null;
  readonly #connections: RedisConnections;
  readonly #awaited = new Map<string, (verdict: ProbeVerdict) => void>();

  constructor(connections: RedisConnections, nodeId: string) {
    this.#connections = connections;
    // No client's channel begins with #: nobody can listen in, or send here.
    this.redisName = `${connections.settings.prefix}#yamabiko:probe:${nodeId}`;
  }

  /** @param publisher where it is published; default: where we publish. @throws Error what Redis answered (NOPERM) */
  async run(publisher: Redis = this.#connections.command): Promise<ProbeVerdict> {
    const token = randomUUID();
    const answered = new AbortController();
    const verdict = new Promise<ProbeVerdict>((settle) => this.#awaited.set(token, settle));
    const startMs = performance.now();
    try {
      const outcome = await Promise.race([verdict, this.#publish(publisher, token, answered.signal)]);
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
  async #publish(publisher: Redis, token: string, signal: AbortSignal): Promise<ProbeVerdict> {
    try {
      await publisher.publish(this.redisName, token);
    } catch (err) {
      if (this.#connections.refusal(err)) throw err;
      return 'silent';
    }
    await sleep(this.#connections.settings.commandTimeoutMs, null, { signal }).catch(() => null);
    return 'deaf';
  }
}

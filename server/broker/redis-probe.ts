import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisConnections } from './redis-connections.ts';

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
  readonly #connections: RedisConnections;
  #awaited: { readonly token: string; readonly settle: (verdict: ProbeVerdict) => void } | null = null;

  constructor(connections: RedisConnections, nodeId: string) {
    this.#connections = connections;
    // No client's channel begins with #: nobody can listen in, or send here.
    this.redisName = `${connections.settings.prefix}#yamabiko:probe:${nodeId}`;
  }

  /** One at a time. @throws Error what Redis answered instead (NOPERM) */
  async run(): Promise<ProbeVerdict> {
    const token = randomUUID();
    const answered = new AbortController();
    const verdict = new Promise<ProbeVerdict>((settle) => {
      this.#awaited = { token, settle };
    });
    try {
      return await Promise.race([verdict, this.#publish(token, answered.signal)]);
    } finally {
      answered.abort();
      this.#awaited = null;
    }
  }

  heard(payload: Buffer): void {
    if (this.#awaited !== null && payload.toString() === this.#awaited.token) this.#awaited.settle('heard');
  }

  connectionLost(): void {
    this.#awaited?.settle('lost');
  }

  /** Settles with what it means that the probe has not been heard by then. */
  async #publish(token: string, signal: AbortSignal): Promise<ProbeVerdict> {
    try {
      await this.#connections.command.publish(this.redisName, token);
    } catch (err) {
      if (this.#connections.refusal(err)) throw err;
      return 'silent';
    }
    await sleep(this.#connections.settings.commandTimeoutMs, null, { signal }).catch(() => null);
    return 'deaf';
  }
}

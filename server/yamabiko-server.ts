import type { MetricsSnapshot } from './metrics/metrics.ts';

export interface YamabikoServer {
  /** Resolves when it listens, also where Redis is not reachable yet. @throws what keeps it from starting */
  start(): Promise<{ readonly url: string }>;
  /** Drains and ends; a second call awaits the first. */
  stop(): Promise<void>;
  /**
   * Publishes a payload as Laravel would, for a program that embeds the server.
   * @param channel without Redis prefix; `broadcast` is the custom channel
   * @throws UnavailableError where the bus did not take it
   */
  publish(channel: string, payload: string | Buffer): Promise<void>;
  /** What is held now; all zero when every client has left. For tests. */
  snapshot(): ServerSnapshot;
}

export interface ServerSnapshot extends MetricsSnapshot {
  readonly places: number;
  readonly views: number;
  readonly pendingSends: number;
  readonly channels: number;
}

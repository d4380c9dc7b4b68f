import { randomUUID } from 'node:crypto';
import { LogBus } from '../../server/broker/log/log-bus.ts';
import { RedisConnections, type RedisSettings } from '../../server/broker/redis/redis-connections.ts';
import { Heard, quietLog } from './heard.ts';

export const HISTORY = { historyMs: 120_000, historyEntries: 100_000, historyBytes: 50_000_000 };

export interface LogNodeOptions {
  readonly url: string;
  readonly prefix: string;
  readonly broadcastPrefix?: string;
  readonly commandTimeoutMs?: number;
  readonly probeIntervalMs?: number;
  readonly bounds?: typeof HISTORY;
  readonly marks?: readonly string[];
  readonly source?: 'pubsub' | 'replication';
  readonly tls?: Partial<RedisSettings>;
  readonly heard?: Heard;
}

/** A node's log bus, wired as the server wires it. */
export class LogNode {
  readonly heard: Heard;
  readonly log = quietLog();
  readonly nodeId = randomUUID();
  readonly connections: RedisConnections;
  readonly bus: LogBus;
  foreign = 0;
  readonly unfit: string[] = [];

  constructor(options: LogNodeOptions) {
    const {
      url,
      prefix,
      broadcastPrefix = prefix,
      bounds = HISTORY,
      commandTimeoutMs = 1000,
      probeIntervalMs = 100,
    } = options;
    const { log, nodeId } = this;
    this.heard = options.heard ?? new Heard();
    this.connections = new RedisConnections({
      settings: { url, prefix, broadcastPrefix, commandTimeoutMs, ...options.tls },
      log,
    });
    this.bus = new LogBus({
      connections: this.connections,
      probeIntervalMs,
      bounds,
      source: options.source ?? 'pubsub',
      marks: options.marks ?? [],
      nodeId,
      log,
      onForeign: () => this.foreign++,
      onUnfit: (reason) => void this.unfit.push(reason),
    });
    this.bus.listen(this.heard);
  }

  async start(): Promise<this> {
    await this.bus.start();
    return this;
  }

  async stop(): Promise<void> {
    await this.bus.stop();
  }
}

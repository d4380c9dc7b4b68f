import { randomUUID } from 'node:crypto';
import { RedisBus } from '../../server/broker/bus/redis-bus.ts';
import { RedisConnections, type RedisSettings } from '../../server/broker/redis/redis-connections.ts';
import { RedisRoster } from '../../server/broker/roster/redis-roster.ts';
import { Heard, quietLog } from './heard.ts';

export interface NodeOptions {
  readonly url: string;
  readonly prefix: string;
  readonly broadcastPrefix?: string;
  readonly unfollowDelayMs?: number;
  readonly nodeTtlMs?: number;
  readonly graceMs?: number;
  readonly maxMembers?: number;
  readonly commandTimeoutMs?: number;
  /** `tlsCa` and the like. */
  readonly tls?: Partial<RedisSettings>;
  readonly heard?: Heard;
}

/** A node's broker, wired as the server wires it, with times short enough to wait for. */
export class RedisNode {
  readonly heard: Heard;
  readonly log = quietLog();
  readonly nodeId = randomUUID();
  readonly prefix: string;
  readonly connections: RedisConnections;
  readonly bus: RedisBus;
  readonly roster: RedisRoster;
  restored = 0;
  readonly faults: string[] = [];

  constructor(options: NodeOptions) {
    const {
      url,
      prefix,
      broadcastPrefix = prefix,
      unfollowDelayMs = 50,
      nodeTtlMs = 10_000,
      graceMs = 0,
      maxMembers = 0,
    } = options;
    this.prefix = prefix;
    const { log, nodeId } = this;
    this.heard = options.heard ?? new Heard();
    this.connections = new RedisConnections({
      settings: {
        url,
        prefix,
        broadcastPrefix,
        commandTimeoutMs: options.commandTimeoutMs ?? 1000,
        ...options.tls,
      },
      log,
    });
    const { connections } = this;
    this.bus = new RedisBus({
      connections,
      settings: { unfollowDelayMs, probeIntervalMs: 100 },
      nodeId,
      log,
    });
    const onFault = (fault: string) => void this.faults.push(fault);
    this.roster = new RedisRoster({
      connections,
      settings: { nodeTtlMs, graceMs, maxMembers },
      nodeId,
      log,
      onFault,
    });
    this.roster.onRestored(() => this.restored++);
    this.bus.listen(this.heard);
  }

  async start(): Promise<this> {
    await this.bus.start();
    await this.roster.start();
    return this;
  }

  async stop(): Promise<void> {
    await this.roster.stop();
    await this.bus.stop();
  }
}

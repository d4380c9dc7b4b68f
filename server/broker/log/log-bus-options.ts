import type { BrokerLog } from '../broker-log.ts';
import type { HistoryBounds } from '../bus/history.ts';
import type { RedisConnections } from '../redis/redis-connections.ts';

export interface LogBusOptions {
  readonly connections: RedisConnections;
  readonly probeIntervalMs: number;
  readonly bounds: HistoryBounds;
  /** How what is published is heard. `replication` needs a Redis of one's own (docs/delivery.md). */
  readonly source: 'pubsub' | 'replication';
  readonly nodeId: string;
  /** By which deployments are told apart; see `DeploymentGuard`. */
  readonly marks: readonly string[];
  readonly log: BrokerLog;
  /** Told of entries that no node of ours wrote. */
  readonly onForeign: () => void;
  /** Told once where this Redis cannot carry a log; the bus then never becomes ready. */
  readonly onUnfit: (reason: string) => void;
}

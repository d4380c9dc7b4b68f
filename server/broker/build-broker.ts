import type { BrokerLog } from './broker-log.ts';
import type { Bus } from './bus/bus.ts';
import type { HistoryBounds } from './bus/history.ts';
import { MemoryBus } from './bus/memory-bus.ts';
import { RedisBus, type RedisBusSettings } from './bus/redis-bus.ts';
import { FallbackBus } from './log/fallback-bus.ts';
import { LogBus } from './log/log-bus.ts';
import { buildMemoryOutbox, buildRedisOutbox, type TellingSettings } from './outbox/build-outbox.ts';
import type { Outbox } from './outbox/outbox.ts';
import { PeerConnections } from './peers/peer-connections.ts';
import { RedisConnections, type RedisSettings } from './redis/redis-connections.ts';
import { MemoryRoster } from './roster/memory-roster.ts';
import { RedisRoster, type RedisRosterSettings } from './roster/redis-roster.ts';
import type { Roster } from './roster/roster.ts';
import type { RosterFault } from './roster/roster-faults.ts';

/** `enabled` false: plain delivery, nothing is kept. Default true. */
export type RecoverySettings = HistoryBounds & {
  readonly enabled: boolean;
  /** With Redis: how what is published is heard. Default pubsub. */
  readonly source: 'pubsub' | 'replication';
  /** One for each key that this deployment verifies tokens with; see `DeploymentGuard`. */
  readonly marks: readonly string[];
};

/** `url` null: in memory, one node. */
export type BrokerSettings = Omit<RedisSettings, 'url'> &
  RedisBusSettings &
  RedisRosterSettings & {
    readonly url: string | null;
    readonly recovery: RecoverySettings;
    /** What Laravel is told of; null: of nothing, and no outbox is kept. */
    readonly telling?: TellingSettings | null;
  };

export interface BrokerMeters {
  /** In the roster's keys. */
  rosterFault(fault: RosterFault): void;
  /** What was published. */
  dropped(source: string, reason: string): void;
  /** Whether broadcasts are kept for those who come back. */
  historyKept(kept: boolean): void;
}

/** The bus and the roster of one store, and where there are other nodes the way to ask them. */
export interface Broker {
  readonly bus: Bus;
  readonly roster: Roster;
  readonly peers: PeerConnections | null;
  /** Null where Laravel is told nothing. */
  readonly outbox: Outbox | null;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * @param nodeId unique among all nodes, and new for each start
 * @param meters told of what no node of ours wrote
 */
export function buildBroker(
  redis: BrokerSettings,
  nodeId: string,
  log: BrokerLog,
  meters: BrokerMeters,
): Broker {
  const { telling = null } = redis;
  const onStart = () => meters.historyKept(redis.recovery.enabled);
  if (redis.url === null) {
    const told = telling === null ? null : buildMemoryOutbox(telling);
    const bounds = redis.recovery.enabled ? redis.recovery : null;
    const bus = new MemoryBus({ log, bounds, outbox: told?.outbox ?? null });
    const roster = new MemoryRoster({
      bus,
      log,
      graceMs: redis.graceMs,
      maxMembers: redis.maxMembers ?? 0,
      ...(told !== null && { tell: told.tell }),
    });
    return startedInOrder({ bus, roster, peers: null, outbox: told?.outbox ?? null }, onStart);
  }
  const settings = { ...redis, url: redis.url };
  const connections = new RedisConnections({ settings, log });
  const peers = new PeerConnections({
    settings,
    nodeId,
    log,
    redisAnswers: () => connections.usable(),
    living: () => roster.livingNodes(),
    onForeign: () => meters.dropped('peers', 'bad_message'),
  });
  connections.onConnectAnew(() => peers.connectAnew());
  const onFault = (fault: RosterFault) => meters.rosterFault(fault);
  const node = { id: nodeId, ttlMs: redis.nodeTtlMs };
  const told = telling === null ? null : buildRedisOutbox(connections, telling, node, log);
  const teller = told?.teller ?? null;
  const roster = new RedisRoster({ connections, settings, nodeId, log, onFault, teller });
  return startedInOrder({ bus: buildBus(), roster, peers, outbox: told?.outbox ?? null }, onStart);

  function buildBus(): Bus {
    const makePlain = () => new RedisBus({ connections, settings, nodeId, log });
    const { enabled, source, marks, ...bounds } = redis.recovery;
    if (!enabled) return makePlain();
    const { probeIntervalMs } = redis;
    const onForeign = () => meters.dropped('log', 'foreign_entry');
    return new FallbackBus({
      makePlain,
      makeLog: (onUnfit) =>
        new LogBus({ connections, probeIntervalMs, bounds, source, marks, nodeId, log, onForeign, onUnfit }),
      log,
      onPlain: () => meters.historyKept(false),
    });
  }
}

/**
 * The roster announces through the bus: it starts after it, and gives its seats up before it stops. Who has a lease in
 * it must be heard by whoever asks all nodes, so a node that stops answers until it has none any more.
 */
function startedInOrder(parts: Omit<Broker, 'start' | 'stop'>, onStart: () => void): Broker {
  const { bus, roster, peers } = parts;
  return {
    bus,
    roster,
    peers,
    outbox: parts.outbox,
    async start() {
      onStart();
      await bus.start();
      await roster.start();
      await peers?.start();
    },
    async stop() {
      await roster.stop();
      peers?.stop();
      await bus.stop();
    },
  };
}

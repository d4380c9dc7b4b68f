import type { Member } from '../../domain/member.ts';
import type { BrokerLog } from '../broker-log.ts';
import type { RedisConnections } from '../redis/redis-connections.ts';
import { MemoryOutbox } from './memory-outbox.ts';
import { tellsOf } from './occupancy-room.ts';
import type { Outbox, OutboxBounds, RosterTelling } from './outbox.ts';
import { RedisOutbox } from './redis-outbox.ts';
import { RosterTeller } from './room-telling.ts';
import { ToldRelay } from './told-relay.ts';

export type TellingSettings = OutboxBounds & RosterTelling;

/** After so many milliseconds of a node's silence another one goes on telling. */
const LEASE_PER_TTL = 0.5;

/** @param connections those of the bus, which publishes and tells in one step */
export function buildRedisOutbox(
  connections: RedisConnections,
  telling: TellingSettings,
  node: { readonly id: string; readonly ttlMs: number },
  log: BrokerLog,
): { readonly outbox: Outbox; readonly teller: RosterTeller } {
  const leaseMs = Math.round(node.ttlMs * LEASE_PER_TTL);
  const outbox = new RedisOutbox({ connections, bounds: telling, nodeId: node.id, leaseMs, log });
  connections.tellingPublisher = outbox;
  const relay = connections.cluster === null ? null : new ToldRelay(outbox);
  return { outbox, teller: new RosterTeller(outbox, telling, relay) };
}

/** Of one node: forgotten with it. */
export function buildMemoryOutbox(telling: TellingSettings): {
  readonly outbox: MemoryOutbox;
  readonly tell: (room: string, type: 'joined' | 'left', member: Member) => void;
} {
  const outbox = new MemoryOutbox(telling);
  return {
    outbox,
    tell(room, type, member) {
      const order = tellsOf(telling, room);
      if (order !== null) outbox.tellChange(order, type, room, member.json);
    },
  };
}

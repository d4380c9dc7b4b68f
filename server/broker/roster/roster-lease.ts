import type { Redis } from 'ioredis';
import type { RedisConnections } from '../redis/redis-connections.ts';
import { nodeCommands } from './node-commands.ts';

/** What separates node, generation and seat in a stored seat; a node id holds none. */
const SEPARATOR = '|';

export interface Renewal {
  readonly holds: boolean;
  /** The leases that have ended, of other nodes or of this. */
  readonly ended: string[];
  /** Milliseconds until the next one ends, if nobody renews it. */
  readonly nextMs: number | null;
}

/**
 * Where Redis stood still for as long as a lease, all leases have ended, and whoever is the first to be answered
 * would give everybody else up. So others have as much time to come back as protocol.md section 10 grants: half a
 * lease, at least so many milliseconds.
 */
const LEAST_PATIENCE_MS = 1500;

/**
 * How long a lease's list of rooms outlives the last renewal, in seconds: a week. If no node is left at all, the first
 * one that starts within it still finds where the seats of the dead ones are.
 */
const ROOMS_KEPT_SECONDS = 604_800;

/**
 * A node's claim that its seats are alive, by Redis's clock. A claim that has ended is never taken up again:
 * another node may be clearing its seats away at this moment, room by room, and would clear fresh ones too. So the
 * node begins a new *generation*, whose seats bear another name.
 */
export class RosterLease {
  readonly #connections: RedisConnections;
  readonly #nodeId: string;
  readonly #ttlMs: number;
  readonly #leasesKey: string;
  #generation = 0;
  #registered = false;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #answeredAt = Number.NEGATIVE_INFINITY;
  /** Since when Redis has answered all the time, as far as renewals tell. */
  #steadySince = Number.NEGATIVE_INFINITY;

  constructor(connections: RedisConnections, nodeId: string, ttlMs: number) {
    this.#connections = connections;
    this.#nodeId = nodeId;
    this.#ttlMs = ttlMs;
    this.#leasesKey = `${connections.settings.prefix}yamabiko:nodes`;
  }

  /** `node|generation`: the name under which the lease is held. */
  get name(): string {
    return `${this.#nodeId}${SEPARATOR}${this.#generation}`;
  }

  /** What all stored seats of this node begin with, of any generation. */
  get nodePrefix(): string {
    return `${this.#nodeId}${SEPARATOR}`;
  }

  /** Whether this node has reason to think that nobody clears its seats away. */
  get fresh(): boolean {
    return performance.now() - this.#renewedAt < this.#ttlMs;
  }

  field(seatId: string): string {
    return fieldsOf(this.name) + seatId;
  }

  #roomsKey(leaseName: string): string {
    return `${this.#connections.settings.prefix}yamabiko:node:${leaseName}:rooms`;
  }

  /**
   * A new one always holds. Ended leases of others are told only after Redis has been steady for a while.
   * @throws UnavailableError
   */
  async renew(): Promise<Renewal> {
    const askedAt = performance.now();
    const reply = await this.#connections.call((redis) =>
      nodeCommands(redis).yamabikoRenew(this.#leasesKey, this.name, this.#ttlMs, this.#registered ? 0 : 1),
    );
    const [holds, ended, nextMs] = reply as [number, string[], number];
    if (holds === 1) {
      this.#registered = true;
      this.#renewedAt = askedAt;
    }
    const patienceMs = this.#answered();
    if (patienceMs <= 0) return { holds: holds === 1, ended, nextMs: nextMs < 0 ? null : nextMs };
    return { holds: holds === 1, ended: [], nextMs: ended.length > 0 ? patienceMs : null };
  }

  /** @returns how long leases of others are to be left alone, in milliseconds; below 0: no longer */
  #answered(): number {
    const now = performance.now();
    if (now - this.#answeredAt > this.#ttlMs / 2) this.#steadySince = now;
    this.#answeredAt = now;
    return this.#steadySince + Math.max(this.#ttlMs / 2, LEAST_PATIENCE_MS) - now;
  }

  /** The ids of all nodes that have a lease, this one's too. @throws UnavailableError */
  async living(): Promise<ReadonlySet<string>> {
    const names = await this.#connections.call((redis) =>
      nodeCommands(redis).yamabikoLiving(this.#leasesKey),
    );
    return new Set((names as string[]).map((name) => name.slice(0, name.lastIndexOf(SEPARATOR))));
  }

  /** To be sent with every enter. @returns what the store knows of a lease; unknown, it has one now that only ends */
  async vouch(redis: Redis, leaseName = this.name): Promise<'holds' | 'ends' | 'unknown'> {
    const reply = await nodeCommands(redis).yamabikoVouch(this.#leasesKey, leaseName, this.#ttlMs);
    return reply === 1 ? 'holds' : reply === 0 ? 'ends' : 'unknown';
  }

  /** Notes that seats of a lease are in a room, for whoever clears them away. Before the first of them. */
  async list(redis: Redis, room: string, leaseName = this.name): Promise<void> {
    await nodeCommands(redis).yamabikoList(this.#roomsKey(leaseName), room, ROOMS_KEPT_SECONDS);
  }

  /** With each renewal, but for itself: in a Cluster another master may hold the list. @throws UnavailableError */
  async keepList(): Promise<void> {
    await this.#connections.call((redis) => redis.expire(this.#roomsKey(this.name), ROOMS_KEPT_SECONDS));
  }

  async unlist(redis: Redis, room: string): Promise<void> {
    await redis.srem(this.#roomsKey(this.name), room);
  }

  /** The rooms in which the store holds seats of a lease. @throws UnavailableError */
  listed(leaseName = this.name): Promise<string[]> {
    return this.#connections.call(async (redis) => {
      try {
        return await redis.smembers(this.#roomsKey(leaseName));
      } catch (err) {
        // What another program wrote there tells nothing.
        if (!isWrongType(err)) throw err;
        return [];
      }
    });
  }

  /** From now on this node's seats are those of a new lease. Synchronous, so that no seat is named by halves. */
  beginGeneration(): void {
    this.#generation++;
    this.#registered = false;
    this.#renewedAt = Number.NEGATIVE_INFINITY;
  }

  /** The lease is over and its seats are gone: nothing is left of it. */
  async forget(leaseName: string): Promise<void> {
    await this.#connections.call((redis) =>
      Promise.all([redis.zrem(this.#leasesKey, leaseName), redis.del(this.#roomsKey(leaseName))]),
    );
  }
}

/** The beginning of every stored seat of one lease. */
export function fieldsOf(leaseName: string): string {
  return `${leaseName}${SEPARATOR}`;
}

function isWrongType(err: unknown): boolean {
  return err instanceof Error && err.message.startsWith('WRONGTYPE');
}

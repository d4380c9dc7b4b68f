import type { Cluster, Redis } from 'ioredis';
import type { RedisAddress } from '../../domain/redis-url.ts';
import type { RedisConnections } from '../redis/redis-connections.ts';
import type { RedisProbe } from './redis-probe.ts';

export interface RedisClusterMastersOptions {
  readonly connections: RedisConnections;
  readonly cluster: Cluster;
  readonly probe: RedisProbe;
  readonly nodeId: string;
}

type Finding = 'whole' | 'changed' | 'refusing' | 'partial';
interface Master extends RedisAddress {
  readonly id: string;
}

/** How many keys are tried until one lies on a master: enough for one that holds a fiftieth of the slots. */
const MARK_TRIES = 300;
/** A mark is renewed by each survey; after a longer outage everything is put right anyway. */
const MARK_TTL_SECONDS = 60;

/**
 * Proves that every master of a Cluster answers, takes writes, and that what is published there is heard: Laravel
 * publishes wherever it likes, and rooms lie on all of them. On each master a mark is kept; where it is gone, or a
 * master is new, the seats of some rooms may be gone too.
 */
export class RedisClusterMasters {
  readonly #options: RedisClusterMastersOptions;
  /** By a master's id the number of the key that lies on it; null where no key of ours can. */
  readonly #marks = new Map<string, number | null>();
  #changed = false;
  /** All have been well at once: what is new since then was not so from the start. */
  #known = false;

  constructor(options: RedisClusterMastersOptions) {
    this.#options = options;
  }

  /** @throws Error a right that is missing */
  async survey(): Promise<'right' | 'changed' | 'refusing' | 'partial' | 'silent'> {
    const masters = await this.#list();
    if (masters === null) return 'silent';
    const findings = await Promise.all(masters.map((master) => this.#look(master)));
    if (findings.includes('changed') && this.#known) this.#changed = true;
    const living = new Set(masters.map(({ id }) => id));
    for (const id of this.#marks.keys()) if (!living.has(id)) this.#marks.delete(id);
    if (findings.includes('partial')) return 'partial';
    if (findings.includes('refusing')) return 'refusing';
    this.#known = true;
    // Told only now: what is put right needs all of them.
    if (!this.#changed) return 'right';
    this.#changed = false;
    return 'changed';
  }

  /** As the one sees it that we hear. @returns null where it does not answer */
  async #list(): Promise<Master[] | null> {
    const { connections } = this.#options;
    try {
      const byId = new Map<string, Master>();
      // Of each range of slots the first node is the master.
      for (const [, , node] of await connections.command.cluster('SLOTS')) {
        const [host, port, id] = node ?? [];
        if (host && port !== undefined && id !== undefined) byId.set(id, { host, port, id });
      }
      return [...byId.values()];
    } catch (err) {
      if (connections.refusal(err)) throw err;
      return null;
    }
  }

  async #look(master: Master): Promise<Finding> {
    const { cluster, probe, connections } = this.#options;
    const node = cluster
      .nodes('master')
      .find(({ options }) => options.host === master.host && options.port === master.port);
    if (node === undefined) {
      cluster.refreshSlotsCache();
      return 'partial';
    }
    try {
      const [marked, heard] = await Promise.all([
        this.#mark(node, master.id),
        probe.run((name, token) => node.publish(name, token)),
      ]);
      return heard === 'heard' ? marked : 'partial';
    } catch (err) {
      if (connections.refusal(err)) throw err;
      return err instanceof Error && err.name === 'ReplyError' ? 'refusing' : 'partial';
    }
  }

  async #mark(node: Redis, id: string): Promise<Finding> {
    const known = this.#marks.get(id);
    if (known === null) return 'whole';
    if (known === undefined) return this.#markAnew(node, id);
    try {
      const there = await node.set(this.#key(known), '1', 'EX', MARK_TTL_SECONDS, 'XX');
      if (there !== null) return 'whole';
      await node.set(this.#key(known), '1', 'EX', MARK_TTL_SECONDS);
      return 'changed';
    } catch (err) {
      if (!isElsewhere(err)) throw err;
      // Only its slot has moved.
      await this.#markAnew(node, id);
      return 'whole';
    }
  }

  async #markAnew(node: Redis, id: string): Promise<Finding> {
    for (let number = 0; number < MARK_TRIES; number++) {
      try {
        await node.set(this.#key(number), '1', 'EX', MARK_TTL_SECONDS);
        this.#marks.set(id, number);
        return 'changed';
      } catch (err) {
        if (!isElsewhere(err)) throw err;
      }
    }
    // With a hash tag in the prefix all of ours lies on one master.
    this.#marks.set(id, null);
    return 'changed';
  }

  #key(number: number): string {
    const { connections, nodeId } = this.#options;
    return `${connections.settings.prefix}yamabiko:mark:${nodeId}:${number}`;
  }
}

function isElsewhere(err: unknown): boolean {
  return err instanceof Error && /^(MOVED|ASK|TRYAGAIN) /.test(err.message);
}

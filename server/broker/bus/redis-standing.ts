import type { BrokerLog } from '../broker-log.ts';
import type { RedisConnections } from '../redis/redis-connections.ts';
import { homeKey } from '../redis/redis-locate.ts';
import { RedisClusterMasters } from './redis-cluster-masters.ts';
import type { RedisProbe } from './redis-probe.ts';

/**
 * - `right`: our Redis is the master, and takes what we write.
 * - `strayed`: another one is the master now. A replica takes a PUBLISH and brings it back: no probe tells it.
 * - `refusing`: it takes no writes (out of memory, no disk, a Cluster that is down): the roster cannot be kept.
 * - `silent`: it did not answer.
 * - `partial`: of a Cluster's masters some do not answer, or what is published there is not heard.
 * - `changed`: one of a Cluster's masters is another one, or has lost its data, and with it perhaps broadcasts.
 */
export type Standing = 'right' | 'strayed' | 'refusing' | 'silent' | 'partial' | 'changed';

export interface RedisStandingOptions {
  readonly connections: RedisConnections;
  readonly probe: RedisProbe;
  readonly nodeId: string;
  readonly log: BrokerLog;
}

/** What a probe that came back does not prove. */
export class RedisStanding {
  readonly #connections: RedisConnections;
  readonly #masters: RedisClusterMasters | null;
  readonly #log: BrokerLog;
  #toldReply: string | null = null;

  constructor({ connections, probe, nodeId, log }: RedisStandingOptions) {
    this.#connections = connections;
    this.#log = log;
    const { cluster } = connections;
    this.#masters =
      cluster === null ? null : new RedisClusterMasters({ connections, cluster, probe, nodeId });
  }

  /** @throws Error a right that is missing */
  async check(): Promise<Standing> {
    const { home } = this.#connections;
    const own = await this.#takesWrites();
    if (own !== 'right') return own;
    if (home !== null && (await home.strayed())) return 'strayed';
    return this.#masters === null ? 'right' : this.#masters.survey();
  }

  /** Writes only if something is there, and nothing ever is: refused as every write is, and without a trace. */
  async #takesWrites(): Promise<Standing> {
    const { command, settings } = this.#connections;
    try {
      await command.set(homeKey(settings.prefix), '1', 'XX');
      this.#toldReply = null;
      return 'right';
    } catch (err) {
      if (this.#connections.refusal(err)) throw err;
      return this.#meaningOf(err);
    }
  }

  #meaningOf(err: unknown): Standing {
    if (!(err instanceof Error) || err.name !== 'ReplyError') return 'silent';
    const reply = err.message.split(' ', 1)[0] ?? '';
    // Said by the node that still holds the slot.
    if (reply === 'ASK') return 'right';
    if (reply === 'READONLY' || reply === 'MOVED') return 'strayed';
    if (reply !== this.#toldReply)
      this.#log.error({ reason: err.message }, 'Redis takes no writes: not ready until it does');
    this.#toldReply = reply;
    return 'refusing';
  }
}

import { createConnection, Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { AbstractConnector, type RedisOptions } from 'ioredis';
import type { RedisAddress } from '../../domain/redis-url.ts';

/**
 * The one Redis that a node of ours publishes to and hears, where it is not fixed: the master that Sentinel names, or
 * the master of one hash slot of a Cluster. All nodes of ours go to the same, for one order of what is published; a
 * Cluster brings it there from wherever it was published.
 */
export class RedisHome {
  readonly #locate: () => Promise<RedisAddress>;
  readonly #places = new Map<object, RedisAddress>();

  /** @param locate asks where it is now */
  constructor(locate: () => Promise<RedisAddress>) {
    this.#locate = locate;
  }

  /** @throws Error nobody can say */
  async locate(connector: object): Promise<RedisAddress> {
    const address = await this.#locate();
    this.#places.set(connector, address);
    return address;
  }

  /**
   * Whether a connection is not where it should be: still with a master that was demoted, or whose slot has moved.
   * It answers, takes what is published and brings it back, so that nothing else would tell.
   */
  async strayed(): Promise<boolean> {
    const places = [...this.#places.values()];
    // Nobody can say: then nothing is known against it.
    const home = await this.#locate().catch(() => null);
    return home !== null && places.some(({ host, port }) => host !== home.host || port !== home.port);
  }
}

/**
 * For ioredis, which makes one for each client: asks where to connect, at each attempt. (Its own one for Sentinel knows
 * no Cluster, and learns of a failover only by connections to all Sentinels for each client. Its own one for a fixed
 * address hears the first error of a socket alone: over TLS a second may follow, which would end the process.)
 * @param home null: at the address that the client was given
 */
export function connectorTo(home: RedisHome | null) {
  return class RedisConnector extends AbstractConnector {
    readonly #options: RedisOptions;

    constructor(options: unknown) {
      const redisOptions = options as RedisOptions;
      super(redisOptions.disconnectTimeout ?? 0);
      this.#options = redisOptions;
    }

    /** A master that was made a replica, which whoever says where it is may not know yet: then it is asked again. */
    override check(info: { role?: string }): boolean {
      return home === null || info.role === undefined || info.role === 'master';
    }

    override async connect(): Promise<Socket> {
      this.connecting = true;
      const stream = await this.#locate().then(
        (address) => this.#open(address),
        (error: Error) => this.#failed(error),
      );
      if (!this.connecting) {
        stream.destroy();
        throw new Error('Connection is closed.');
      }
      this.stream = stream;
      return stream;
    }

    async #locate(): Promise<RedisAddress> {
      const { host = 'localhost', port = 6379 } = this.#options;
      return home === null ? { host, port } : home.locate(this);
    }

    #open({ host, port }: RedisAddress): Socket {
      const { tls } = this.#options;
      const stream =
        tls === undefined
          ? createConnection({ host, port })
          : connectTls({ host, port, ...(tls as ConnectionOptions) });
      stream.on('error', (error) => {
        this.firstError = error;
      });
      return stream;
    }

    /** A connection that has ended at once: ioredis tells the error, and tries again after its usual pause. */
    #failed(error: Error): Socket {
      this.firstError = error;
      return new Socket().destroy();
    }
  };
}

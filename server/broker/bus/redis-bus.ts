import { CUSTOM_CHANNEL } from '../../domain/channel-name.ts';
import { UnavailableError } from '../../domain/outcome.ts';
import type { BrokerLog } from '../broker-log.ts';
import type { Telling } from '../outbox/outbox.ts';
import type { RedisConnections } from '../redis/redis-connections.ts';
import type { Bus, BusListener, Resumption } from './bus.ts';
import { RedisFollows } from './redis-follows.ts';
import { RedisKeeper } from './redis-keeper.ts';
import { RedisProbe } from './redis-probe.ts';
import { RedisStanding } from './redis-standing.ts';

export interface RedisBusSettings {
  /** How long a channel stays subscribed after its last follower, in milliseconds. Default 2000. */
  readonly unfollowDelayMs: number;
  /** How often hearing is proved, in milliseconds. Default 1000. */
  readonly probeIntervalMs: number;
}

export interface RedisBusOptions {
  readonly connections: RedisConnections;
  readonly settings: RedisBusSettings;
  /** Unique among all nodes, and new for each start. */
  readonly nodeId: string;
  readonly log: BrokerLog;
}

/** Redis Pub/Sub without history: what is published while this node cannot hear is lost, and told as a gap. */
export class RedisBus implements Bus {
  readonly #connections: RedisConnections;
  readonly #log: BrokerLog;
  readonly #customName: string;
  readonly #follows: RedisFollows;
  readonly #probe: RedisProbe;
  readonly #keeper: RedisKeeper;
  #listener: BusListener | null = null;

  constructor({ connections, settings, nodeId, log }: RedisBusOptions) {
    const { prefix, broadcastPrefix } = connections.settings;
    this.#connections = connections;
    this.#log = log;
    this.#customName = `${broadcastPrefix}${CUSTOM_CHANNEL}`;
    this.#probe = new RedisProbe(connections, nodeId);
    this.#follows = new RedisFollows({
      subscriber: connections.subscriber,
      log,
      unfollowDelayMs: settings.unfollowDelayMs,
      redisNameOf: (channel) => `${prefix}${channel}`,
      permanentNames: [this.#customName, this.#probe.redisName],
      ready: () => this.ready(),
    });
    this.#keeper = new RedisKeeper({
      connections,
      hearing: {
        begin: () => this.#follows.resubscribe(),
        lost: () => this.#follows.forgetSubscriptions(),
      },
      probe: this.#probe,
      standing: new RedisStanding({ connections, probe: this.#probe, nodeId, log }),
      probeIntervalMs: settings.probeIntervalMs,
      log,
      onReadiness: (ready) => this.#tell((listener) => listener.readiness(ready)),
      onGap: (reason) => this.#tell((listener) => listener.gap(reason, null)),
    });
    connections.subscriber.on('messageBuffer', (name: Buffer, payload: Buffer) => this.#hear(name, payload));
  }

  listen(listener: BusListener): void {
    this.#listener = listener;
  }

  /**
   * Opens the connections. Resolves ready, or not ready where Redis is unreachable (then it keeps trying).
   * @throws RedisRefusedError wrong password, or a right that is missing
   */
  async start(): Promise<void> {
    await this.#connections.open();
    await this.#keeper.start();
  }

  /** Closes the connections, so stop the roster before. */
  async stop(): Promise<void> {
    this.#keeper.stop();
    this.#follows.close();
    this.#connections.close();
  }

  lagMs(): number | null {
    return this.#probe.lagMs;
  }

  ready(): boolean {
    return this.#keeper.ready;
  }

  async publish(channel: string, payload: string | Buffer, telling: Telling | null = null): Promise<void> {
    if (!this.ready()) throw new UnavailableError('Redis is not reachable');
    const name =
      channel === CUSTOM_CHANNEL ? this.#customName : `${this.#connections.settings.prefix}${channel}`;
    await this.#connections.publish(name, payload, telling);
  }

  async follow(channel: string): Promise<void> {
    if (channel !== CUSTOM_CHANNEL) return this.#follows.add(channel);
    if (!this.ready()) throw new UnavailableError('Redis is not reachable');
  }

  unfollow(channel: string): void {
    if (channel !== CUSTOM_CHANNEL) this.#follows.remove(channel);
  }

  position(): null {
    return null;
  }

  async reach(): Promise<void> {
    // No node gives positions.
  }

  async resume({ live }: Resumption): Promise<void> {
    live([], { complete: false, position: null });
  }

  #hear(nameBytes: Buffer, payload: Buffer): void {
    const name = nameBytes.toString();
    if (name === this.#probe.redisName) this.#probe.heard(payload);
    if (name === this.#customName) this.#tell((listener) => listener.deliver(CUSTOM_CHANNEL, payload, null));
    // Not "else": with an empty prefix a channel may bear the custom channel's whole name.
    const channel = this.#follows.channelOf(name);
    if (channel !== undefined) this.#tell((listener) => listener.deliver(channel, payload, null));
  }

  /** An exception here would end ioredis's reader, and with it every later broadcast. */
  #tell(tell: (listener: BusListener) => void): void {
    try {
      if (this.#listener !== null) tell(this.#listener);
    } catch (err) {
      this.#log.error({ err }, 'a bus listener failed; the next broadcast goes on');
    }
  }
}

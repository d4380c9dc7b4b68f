import type { BrokerLog } from '../broker-log.ts';
import { backoffMs } from '../redis/redis-clients.ts';
import type { RedisConnections } from '../redis/redis-connections.ts';
import { RedisRefusedError } from '../redis/redis-refused.ts';
import type { GapReason } from './bus.ts';
import type { ProbeVerdict, RedisProbe } from './redis-probe.ts';
import type { Standing } from './redis-standing.ts';

/** How the bus hears by the subscriber's connection. */
export interface Hearing {
  /** The connection is new. @throws Error what Redis refused */
  begin(): Promise<void>;
  /** The connection is gone, or no good. */
  lost(): void;
}

export interface RedisKeeperOptions {
  readonly connections: RedisConnections;
  readonly hearing: Hearing;
  readonly probe: RedisProbe;
  readonly standing: { check(): Promise<Standing> };
  readonly probeIntervalMs: number;
  readonly log: BrokerLog;
  readonly onReadiness: (ready: boolean) => void;
  readonly onGap: (reason: GapReason) => void;
}

/**
 * So many unanswered probes in a row, then the connections are dropped and made anew. Not at the first: a Redis
 * that only paused would still deliver on the old connection what a new one has missed.
 */
const SILENT_PROBES_UNTIL_RESET = 3;
/** Pause after an unanswered probe, in milliseconds: it has already cost a command's timeout. */
const SILENT_PAUSE_MS = 250;

/** Keeps the bus hearing: one loop that subscribes anew, proves it by a probe, and says so. */
export class RedisKeeper {
  readonly #options: RedisKeeperOptions;
  ready = false;
  /** On the connection that lives now. */
  #subscribed = false;
  /** It has been ready since the last gap: what is lost from now on is another one. */
  #heard = false;
  #stopped = false;
  #failures = 0;
  #toldRefusal: string | null = null;
  #silentProbes = 0;
  #connectedAnewAt = Number.NEGATIVE_INFINITY;
  #wake: () => void = () => {};

  constructor(options: RedisKeeperOptions) {
    this.#options = options;
    const { subscriber, command, cluster } = options.connections;
    subscriber.on('close', () => this.#subscriberLost('connection_lost'));
    command.on('close', () => this.#notReady());
    for (const redis of [subscriber, command]) {
      redis.on('close', () => options.probe.connectionLost());
      redis.on('ready', () => this.#wake());
    }
    cluster?.on('close', () => this.#notReady());
    cluster?.on('ready', () => this.#wake());
    // One of its masters, of which the round will know more.
    cluster?.on('-node', () => this.#wake());
  }

  /** The first round is waited for. @throws RedisRefusedError */
  async start(): Promise<void> {
    const pauseMs = await this.#round().catch((err: unknown) => {
      this.#stopped = true;
      this.#options.connections.close();
      throw err;
    });
    void this.#run(pauseMs);
  }

  stop(): void {
    this.#stopped = true;
    this.ready = false;
    this.#wake();
  }

  async #run(firstPauseMs: number): Promise<void> {
    let pauseMs = firstPauseMs;
    while (!this.#stopped) {
      await this.#pause(pauseMs);
      if (this.#stopped) return;
      pauseMs = await this.#round().catch((err: unknown) => this.#failed(err));
    }
  }

  /** @returns the pause until the next round, in milliseconds. @throws RedisRefusedError, Error */
  async #round(): Promise<number> {
    const { connections, hearing, probe, standing } = this.#options;
    // The connections' own "ready" wakes us.
    if (!connections.connected()) return this.#options.probeIntervalMs;
    try {
      if (!this.#subscribed) await hearing.begin();
      this.#subscribed = connections.subscriber.status === 'ready';
      const verdict = await probe.run();
      if (verdict !== 'heard' && verdict !== 'deaf') return this.#conclude(verdict);
      const found = await standing.check();
      // Deaf because we are at the wrong Redis: making the same connection anew would not help.
      return this.#conclude(verdict === 'deaf' && found !== 'strayed' ? 'deaf' : found);
    } catch (err) {
      const refusal = connections.refusal(err);
      if (refusal) throw refusal;
      return this.#failed(err);
    }
  }

  #conclude(verdict: Exclude<ProbeVerdict, 'heard'> | Standing): number {
    const { connections, probeIntervalMs } = this.#options;
    this.#silentProbes = verdict === 'silent' ? this.#silentProbes + 1 : 0;
    switch (verdict) {
      case 'right':
        // Heard on a connection that ended in this very turn counts for nothing.
        if (connections.connected() && this.#subscribed) this.#isReady();
        return probeIntervalMs;
      case 'deaf':
        this.#subscriberLost('deaf');
        connections.reset(connections.subscriber);
        return probeIntervalMs;
      case 'silent':
        this.#notReady();
        if (connections.connected()) connections.silent = true;
        if (this.#silentProbes >= SILENT_PROBES_UNTIL_RESET) this.#resetBoth();
        return SILENT_PAUSE_MS;
      case 'strayed':
        this.#subscriberLost('master_changed');
        this.#connectAnew();
        return probeIntervalMs;
      case 'changed':
        this.#notReady();
        this.#tellGap('master_replaced');
        return 0;
      case 'refusing':
        this.#notReady();
        return probeIntervalMs;
      case 'partial':
        this.#notReady();
        return SILENT_PAUSE_MS;
      case 'lost':
        return probeIntervalMs;
      default:
        return verdict satisfies never;
    }
  }

  /** Not at once again: whoever says where the master is may not know yet, and a fixed address may stay a replica. */
  #connectAnew(): void {
    const { connections, probeIntervalMs } = this.#options;
    if (performance.now() - this.#connectedAnewAt < probeIntervalMs) return;
    this.#connectedAnewAt = performance.now();
    connections.connectAnew(true);
  }

  #resetBoth(): void {
    const { connections } = this.#options;
    this.#silentProbes = 0;
    this.#subscriberLost('silent');
    connections.connectAnew(false);
  }

  #failed(err: unknown): number {
    this.#notReady();
    this.#failures++;
    // Weather is told by the connections. A refusal is a fault of the set-up: told, but not every second.
    const refusal = err instanceof RedisRefusedError ? err.message : null;
    if (refusal !== null && refusal !== this.#toldRefusal)
      this.#options.log.error({ err }, 'the bus could not be made ready; trying again');
    this.#toldRefusal = refusal;
    // A SUBSCRIBE without an answer: this connection may be half open, another may not.
    if (refusal === null && !this.#stopped)
      this.#options.connections.reset(this.#options.connections.subscriber);
    return backoffMs(this.#failures);
  }

  #isReady(): void {
    this.#failures = 0;
    this.#options.connections.silent = false;
    if (this.ready || this.#stopped) return;
    this.#heard = true;
    this.ready = true;
    this.#options.onReadiness(true);
  }

  #notReady(): void {
    if (!this.ready) return;
    this.ready = false;
    if (!this.#stopped) this.#options.onReadiness(false);
  }

  #subscriberLost(reason: GapReason): void {
    this.#subscribed = false;
    this.#options.hearing.lost();
    this.#notReady();
    this.#tellGap(reason);
  }

  /** Once for an outage, however often it fails to end. */
  #tellGap(reason: GapReason): void {
    if (!this.#heard || this.#stopped) return;
    this.#heard = false;
    this.#options.onGap(reason);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

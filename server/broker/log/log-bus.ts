import { CUSTOM_CHANNEL } from '../../domain/channel-name.ts';
import { UnavailableError } from '../../domain/outcome.ts';
import { comparePositions, formatPosition, type Position, parsePosition } from '../../domain/position.ts';
import type { Bus, BusListener, GapReason, Resumption } from '../bus/bus.ts';
import { FollowCount } from '../bus/follow-count.ts';
import { History } from '../bus/history.ts';
import { RedisKeeper } from '../bus/redis-keeper.ts';
import { RedisProbe } from '../bus/redis-probe.ts';
import { RedisStanding, type Standing } from '../bus/redis-standing.ts';
import { resumeFrom } from '../bus/resume.ts';
import type { Telling } from '../outbox/outbox.ts';
import { AwaitedPlaces } from './awaited-places.ts';
import { DeploymentGuard } from './deployment-guard.ts';
import type { LogBusOptions } from './log-bus-options.ts';
import { LogCandidate } from './log-candidate.ts';
import { LogCommands } from './log-commands.ts';
import { LogNames } from './log-names.ts';
import { type LogEntry, LogReader } from './log-reader.ts';
import { tryLog } from './log-trial.ts';
import { ReplicationEar } from './replication-ear.ts';
import { SubscriberEar } from './subscriber-ear.ts';

/** What a node may have heard and not yet seen written: far more than any takeover lasts. */
const RING_ENTRIES = 200_000;
/** Nodes look at a Cluster's masters a few times in it. */
const SAME_LOSS_MS = 5_000;

/**
 * Redis Pub/Sub with a history: what is published is heard by some nodes, written by one of them to a stream, and
 * delivered by all from there. So all have one order, and every place in it has a name that a client can come back
 * with, on any node.
 */
export class LogBus implements Bus {
  readonly #options: LogBusOptions;
  readonly #names: LogNames;
  readonly #follows = new FollowCount();
  readonly #reader: LogReader;
  readonly #candidate: LogCandidate;
  readonly #commands: LogCommands;
  readonly #guard: DeploymentGuard;
  readonly #probe: RedisProbe;
  readonly #keeper: RedisKeeper;
  #history: History;
  #listener: BusListener | null = null;
  #started = false;
  /** A loss that no log can know is still to be said. */
  #owesGap = false;
  #saidLostAtMs = Number.NEGATIVE_INFINITY;
  readonly #awaited = new AwaitedPlaces();

  constructor(options: LogBusOptions) {
    const { connections, bounds, log, nodeId, probeIntervalMs, source } = options;
    this.#options = options;
    this.#names = new LogNames(connections.settings);
    this.#history = new History(bounds, { epoch: 0, index: 0 });
    this.#commands = new LogCommands(connections, this.#names);
    this.#guard = new DeploymentGuard(this.#commands, options.marks, log);
    this.#reader = new LogReader({
      connections,
      names: this.#names,
      log,
      onStart: (place) => {
        this.#history = new History(bounds, place);
      },
      onEntry: (entry, old) => this.#take(entry, old),
      onHole: (at, reason) => this.#gap(reason, at),
      onHandover: () => this.#candidate.handedOver(),
      heardAfter: (place, count) => this.#candidate.heardAfter(place, count),
      heardBeyond: (place) => this.#candidate.heardBeyond(place),
      onForeign: options.onForeign,
    });
    const ear = { connections, names: this.#names, commands: this.#commands, log };
    this.#candidate = new LogCandidate({
      makeEar: (listener) =>
        source === 'replication' ? new ReplicationEar(ear, listener) : new SubscriberEar(ear, listener),
      names: this.#names,
      commands: this.#commands,
      reader: this.#reader,
      ringBounds: { entries: RING_ENTRIES, bytes: bounds.historyBytes },
      log,
      keepFrom: () => this.#keepFrom(),
    });
    // Not where Redis was only silent: what it held back still comes by the old connection, and only by that.
    connections.onConnectAnew((moved) => moved && this.#candidate.connectAnew());
    this.#probe = new RedisProbe(connections, nodeId, (name, token) => this.#commands.probe(name, token));
    const standing = new RedisStanding({ connections, probe: this.#probe, nodeId, log });
    this.#keeper = new RedisKeeper({
      connections,
      hearing: { begin: () => this.#begin(), lost: () => this.#reader.stop() },
      probe: this.#probe,
      standing: { check: () => this.#check(standing) },
      probeIntervalMs,
      log,
      onReadiness: (ready) => this.#tell((listener) => listener.readiness(ready)),
      // The log itself tells what it lacks, whatever this node missed of it.
      onGap: () => {},
    });
  }

  listen(listener: BusListener): void {
    this.#listener = listener;
  }

  /** @throws RedisRefusedError wrong password, or a right that is missing */
  async start(): Promise<void> {
    await this.#options.connections.open();
    await this.#keeper.start();
  }

  async stop(): Promise<void> {
    await this.release();
    this.#options.connections.close();
  }

  /** Stops, and leaves the connections to whoever goes on with them. */
  async release(): Promise<void> {
    this.#keeper.stop();
    if (this.#started) await this.#candidate.stop();
    this.#reader.stop();
    this.#awaited.giveUp();
  }

  lagMs(): number | null {
    return this.#probe.lagMs;
  }

  ready(): boolean {
    return this.#keeper.ready;
  }

  async publish(channel: string, payload: string | Buffer, telling: Telling | null = null): Promise<void> {
    this.#refuseUnlessReady();
    const { connections, source } = this.#options;
    const name = channel === CUSTOM_CHANNEL ? this.#names.custom : `${connections.settings.prefix}${channel}`;
    const listeners = await connections.publish(name, payload, telling);
    // Every node that can write the log was cut off at once: what nobody heard can be sent again.
    if (listeners === 0 && source === 'pubsub')
      throw new UnavailableError('nobody listened when it was published');
  }

  async follow(channel: string): Promise<void> {
    this.#refuseUnlessReady();
    this.#follows.add(channel);
  }

  unfollow(channel: string): void {
    this.#follows.remove(channel);
  }

  position(): string | null {
    return formatPosition(this.#history.last);
  }

  async reach(position: string, signal: AbortSignal): Promise<void> {
    const at = parsePosition(position);
    if (at !== null && comparePositions(at, this.#history.last) > 0) await this.#awaited.reach(at, signal);
  }

  async resume(resumption: Resumption): Promise<void> {
    await resumeFrom(this.#history, resumption);
  }

  async #begin(): Promise<void> {
    if (!this.#started) await this.#try();
    if (!(await this.#guard.holds())) throw new UnavailableError('another deployment has this prefix');
    await this.#reader.begin();
    if (!this.#started) this.#candidate.start();
    this.#started = true;
    // A probe that nobody writes to the log would be taken for deafness.
    await this.#candidate.whenAligned(this.#options.connections.settings.commandTimeoutMs);
  }

  async #check(standing: RedisStanding): Promise<Standing> {
    const found = await standing.check();
    // What another master of a Cluster did not bring here no log can know; said on the bus it has a place in it.
    if (found === 'changed') this.#owesGap = true;
    if (found !== 'right') return found;
    if (!this.#candidate.proved) return 'partial';
    if (!(await this.#guard.holds())) return 'refusing';
    // Not before it can be heard: said into a Cluster that heals it would be lost itself.
    if (this.#owesGap) await this.#options.connections.callBus((redis) => redis.publish(this.#names.gap, ''));
    this.#owesGap = false;
    return 'right';
  }

  async #try(): Promise<void> {
    const { connections, onUnfit } = this.#options;
    const reason = await tryLog(connections, this.#commands, this.#names);
    if (reason === null) return;
    onUnfit(reason);
    throw new UnavailableError('this Redis cannot carry a log');
  }

  #take(entry: LogEntry, old: boolean): void {
    const { at, name, payload } = entry;
    this.#candidate.read(entry);
    const channels = this.#names.channelsOf(name);
    for (const channel of channels) this.#history.add(at, channel, payload);
    if (channels.length === 0) this.#history.pass(at);
    if (!old) {
      if (name === this.#probe.redisName) this.#probe.heard(payload);
      if (name === this.#names.gap) this.#saidLost(at);
      for (const channel of channels) this.#deliver(channel, payload, at);
    }
    this.#awaited.read(at);
  }

  #deliver(channel: string, payload: Buffer, at: Position): void {
    if (channel !== CUSTOM_CHANNEL && !this.#follows.has(channel)) return;
    this.#tell((listener) => listener.deliver(channel, payload, formatPosition(at)));
  }

  #gap(reason: GapReason, at: Position): void {
    this.#history.gap(at, reason);
    this.#tell((listener) => listener.gap(reason, formatPosition(at)));
  }

  /** Every node says it of the same master. */
  #saidLost(at: Position): void {
    const nowMs = performance.now();
    if (nowMs - this.#saidLostAtMs > SAME_LOSS_MS) this.#gap('master_replaced', at);
    this.#saidLostAtMs = nowMs;
  }

  /** What is older is trimmed from the stream. */
  #keepFrom(): string | null {
    this.#history.prune();
    const { epoch, index } = this.#history.floor;
    return epoch === 0 ? null : formatPosition({ epoch, index: index + 1 });
  }

  #refuseUnlessReady(): void {
    if (!this.ready()) throw new UnavailableError('Redis is not reachable');
  }

  /** An exception here would end the reader, and with it every later broadcast. */
  #tell(tell: (listener: BusListener) => void): void {
    try {
      if (this.#listener !== null) tell(this.#listener);
    } catch (err) {
      this.#options.log.error({ err }, 'a bus listener failed; the next broadcast goes on');
    }
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { BrokerLog } from '../broker-log.ts';
import type { RedisConnections } from '../redis/redis-connections.ts';
import { RedisRefusedError } from '../redis/redis-refused.ts';
import { ReplicationReader } from '../replication/replication-reader.ts';
import type { LogCommands } from './log-commands.ts';
import type { EarListener, LogEar } from './log-ear.ts';
import type { LogNames } from './log-names.ts';
import { SubscriberEar } from './subscriber-ear.ts';

export interface ReplicationEarOptions {
  readonly connections: RedisConnections;
  readonly names: LogNames;
  readonly commands: LogCommands;
  readonly log: BrokerLog;
}

const RETRY_MS = 250;

/**
 * Hears by the replication stream, which Redis keeps for a while: from where the log ends, so that also what was
 * published while no node of ours was there comes into it. Where Redis does not let it, it hears as all others do.
 */
export class ReplicationEar implements LogEar {
  readonly #options: ReplicationEarOptions;
  readonly #listener: EarListener;
  readonly #reader: ReplicationReader;
  #instead: SubscriberEar | null = null;
  #stopped = false;
  /** It has begun, and what comes now continues what was heard. */
  #hearing = false;
  #head: Awaited<ReturnType<LogCommands['headWithPlace']>> = null;
  #toldReason: string | null = null;

  constructor(options: ReplicationEarOptions, listener: EarListener) {
    const { connections, names } = options;
    this.#options = options;
    this.#listener = listener;
    this.#reader = new ReplicationReader({
      settings: connections.settings,
      wants: (name) => names.hears(name.toString()),
      onSynced: ({ continued }) => this.#synced(continued),
      onPublish: ({ name, payload, replid, offset }) => listener.heard(name, payload, { replid, offset }),
      // It goes on where it was, or says at its return that it does not.
      onLost: () => {},
      onFailed: (reason) => this.#failed(reason),
    });
  }

  start(): void {
    void this.#start();
  }

  stop(): void {
    this.#stopped = true;
    this.#reader.stop();
    this.#instead?.stop();
  }

  listenAnew(reason: string): void {
    if (this.#instead === null) this.#reader.reconnect(reason);
    else this.#instead.listenAnew();
  }

  async #start(): Promise<void> {
    while (!this.#stopped) {
      try {
        this.#head = await this.#options.commands.headWithPlace();
        break;
      } catch {
        // Redis is away, which the bus tells.
        await sleep(RETRY_MS);
      }
    }
    if (!this.#stopped) this.#reader.start(this.#head?.place ?? null);
  }

  #synced(continued: boolean): void {
    if (this.#hearing && continued) return;
    if (this.#hearing) this.#listener.lost();
    const after = !this.#hearing && continued ? (this.#head?.at ?? null) : null;
    this.#hearing = true;
    if (after === null)
      this.#options.log.warn({}, 'the replication stream does not reach back to where the log ends');
    this.#listener.begun(after);
  }

  #failed(reason: Error): void {
    const { log } = this.#options;
    if (reason instanceof RedisRefusedError && this.#instead === null && !this.#stopped) {
      log.error({ err: reason }, 'the replication stream is refused: listening by PSUBSCRIBE instead');
      this.#reader.stop();
      if (this.#hearing) this.#listener.lost();
      this.#instead = new SubscriberEar(this.#options, this.#listener);
      this.#instead.start();
    } else if (reason.message !== this.#toldReason) {
      this.#toldReason = reason.message;
      log.warn({ reason: reason.message }, 'could not read the replication stream, trying again');
    }
  }
}

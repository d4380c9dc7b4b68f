import type { Redis } from 'ioredis';
import type { BrokerLog } from '../broker-log.ts';
import { createRedis, type RedisConnections } from '../redis/redis-connections.ts';
import type { EarListener, LogEar } from './log-ear.ts';
import type { LogNames } from './log-names.ts';

/** After a subscribe that was refused, in milliseconds. */
const RETRY_MS = 1000;

/** Hears by PSUBSCRIBE, on a connection of its own: what is published while it is cut is not heard. */
export class SubscriberEar implements LogEar {
  readonly #connections: RedisConnections;
  readonly #names: LogNames;
  readonly #log: BrokerLog;
  readonly #listener: EarListener;
  readonly #subscriber: Redis;
  #hearing = false;
  #stopped = false;
  #toldReason: string | null = null;

  constructor(
    { connections, names, log }: { connections: RedisConnections; names: LogNames; log: BrokerLog },
    listener: EarListener,
  ) {
    this.#connections = connections;
    this.#names = names;
    this.#log = log;
    this.#listener = listener;
    this.#subscriber = createRedis(connections.settings, 'yamabiko-log', connections.home ?? undefined);
    this.#subscriber.on('ready', () => void this.#begin());
    this.#subscriber.on('close', () => this.#lost());
    this.#subscriber.on('error', () => {
      // The bus's own connections tell it; one line is enough.
    });
    this.#subscriber.on('pmessageBuffer', (_pattern: string, name: Buffer, payload: Buffer) => {
      // It may come in one read with the confirmation, which is told a little later.
      if (!names.customApart) this.#hears();
      listener.heard(name, payload, null);
    });
    this.#subscriber.on('messageBuffer', (name: Buffer, payload: Buffer) =>
      listener.heard(name, payload, null),
    );
  }

  start(): void {
    this.#subscriber.connect().catch(() => {
      // It goes on trying, and the bus's own connections tell why.
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#subscriber.disconnect();
  }

  listenAnew(): void {
    this.#connections.reset(this.#subscriber);
  }

  async #begin(): Promise<void> {
    try {
      if (this.#names.customApart) await this.#subscriber.subscribe(this.#names.custom);
      await this.#subscriber.psubscribe(this.#names.pattern);
    } catch (err) {
      const reason = err instanceof Error ? err.message : String(err);
      if (reason !== this.#toldReason)
        this.#log.warn({ reason }, 'could not listen for the log, trying again');
      this.#toldReason = reason;
      setTimeout(() => this.#connections.reset(this.#subscriber), RETRY_MS).unref();
      return;
    }
    // Only now: what came before the last confirmation is not all that there was.
    this.#hears();
  }

  #hears(): void {
    if (this.#hearing || this.#stopped) return;
    this.#hearing = true;
    this.#listener.begun(null);
  }

  #lost(): void {
    if (this.#hearing && !this.#stopped) this.#listener.lost();
    this.#hearing = false;
  }
}

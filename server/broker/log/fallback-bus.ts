import type { BrokerLog } from '../broker-log.ts';
import type { Bus, BusListener, Resumption } from '../bus/bus.ts';
import type { Telling } from '../outbox/outbox.ts';

export interface FallbackBusOptions {
  /** Makes the bus with the log, which says once where this Redis cannot carry it. */
  readonly makeLog: (onUnfit: (reason: string) => void) => Bus & { release(): Promise<void> };
  readonly makePlain: () => Bus;
  readonly log: BrokerLog;
  /** Told where broadcasts are no longer kept. */
  readonly onPlain: () => void;
}

/**
 * A bus with a history, or a plain one where Redis is too old for it or does not allow it: events then flow as they
 * always did, and the operator is told what is missing.
 */
export class FallbackBus implements Bus {
  readonly #options: FallbackBusOptions;
  readonly #log: ReturnType<FallbackBusOptions['makeLog']>;
  #bus: Bus;
  #listener: BusListener | null = null;
  #falling: Promise<void> | null = null;
  #stopped = false;

  constructor(options: FallbackBusOptions) {
    this.#options = options;
    this.#log = options.makeLog((reason) => {
      this.#falling ??= this.#fallBack(reason);
      // Whoever awaits the start is told; the keeper's own try ends here.
      this.#falling.catch((err: unknown) => options.log.error({ err }, 'plain delivery could not begin'));
    });
    this.#bus = this.#log;
  }

  listen(listener: BusListener): void {
    this.#listener = listener;
    this.#bus.listen(listener);
  }

  async start(): Promise<void> {
    await this.#log.start();
    await this.#falling;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#falling?.catch(() => {});
    await this.#bus.stop();
  }

  publish(channel: string, payload: string | Buffer, telling: Telling | null = null): Promise<void> {
    return this.#bus.publish(channel, payload, telling);
  }

  follow(channel: string): Promise<void> {
    return this.#bus.follow(channel);
  }

  unfollow(channel: string): void {
    this.#bus.unfollow(channel);
  }

  position(): string | null {
    return this.#bus.position();
  }

  reach(position: string, signal: AbortSignal): Promise<void> {
    return this.#bus.reach(position, signal);
  }

  resume(resumption: Resumption): Promise<void> {
    return this.#bus.resume(resumption);
  }

  ready(): boolean {
    return this.#bus.ready();
  }

  lagMs(): number | null {
    return this.#bus.lagMs();
  }

  async #fallBack(reason: string): Promise<void> {
    const { log, makePlain, onPlain } = this.#options;
    log.warn(
      { reason },
      'this Redis cannot keep a history of broadcasts: plain delivery, clients miss what comes while they are away',
    );
    onPlain();
    await this.#log.release();
    this.#bus = makePlain();
    if (this.#listener !== null) this.#bus.listen(this.#listener);
    if (!this.#stopped) await this.#bus.start();
  }
}

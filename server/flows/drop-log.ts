import type { DropReason } from '../broker/bus/laravel-wire.ts';
import { TokenBucket } from '../connection/token-bucket.ts';
import type { FlowLog, FlowMeters } from './parts.ts';

/** Lines for each reason: so many at once, then so many a second. A foreign publisher must not fill the log. */
const BURST = 20;
const PER_SECOND = 1;

/** Payloads of the bus that are not for us: each is counted, and logged with its reason while they are few. */
export class DropLog {
  readonly #log: Pick<FlowLog, 'warn'>;
  readonly #meters: Pick<FlowMeters, 'dropped'>;
  readonly #reasons = new Map<DropReason, { readonly bucket: TokenBucket; unlogged: number }>();

  constructor(log: Pick<FlowLog, 'warn'>, meters: Pick<FlowMeters, 'dropped'>) {
    this.#log = log;
    this.#meters = meters;
  }

  /** @param details what leads to the mistake in the program that published: the room, the field; never the payload */
  dropped(channel: string, reason: DropReason, details: object = {}): void {
    this.#meters.dropped('redis', reason);
    const entry = this.#reasons.get(reason) ?? { bucket: new TokenBucket(BURST, PER_SECOND), unlogged: 0 };
    this.#reasons.set(reason, entry);
    if (!entry.bucket.take()) {
      entry.unlogged++;
      return;
    }
    const unlogged = entry.unlogged === 0 ? {} : { unlogged: entry.unlogged };
    entry.unlogged = 0;
    this.#log.warn({ channel, reason, ...details, ...unlogged }, 'dropped a payload of Redis');
  }
}

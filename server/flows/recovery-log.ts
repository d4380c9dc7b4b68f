import type { GapReason } from '../broker/bus/bus.ts';
import { TokenBucket } from '../connection/token-bucket.ts';
import { parsePosition } from '../domain/position.ts';
import type { Arrival, Recovery } from './arrival.ts';
import type { FlowLog, FlowMeters } from './parts.ts';

/** Lines at once, then a second: a deployment brings everybody back at once, and strangers send what they like. */
const BURST = 20;
const PER_SECOND = 1;

/** Who came back, and whether something is missing: each is counted, and what is missing logged while it is little. */
export class RecoveryLog {
  readonly #log: Pick<FlowLog, 'warn'>;
  readonly #meters: Pick<FlowMeters, 'recovery' | 'replayed'>;
  readonly #bucket = new TokenBucket(BURST, PER_SECOND);
  #unlogged = 0;

  constructor(log: Pick<FlowLog, 'warn'>, meters: Pick<FlowMeters, 'recovery' | 'replayed'>) {
    this.#log = log;
    this.#meters = meters;
  }

  /** @param position of the last broadcast before the subscription goes live */
  came(
    { subscription, since, over }: Arrival,
    { recovered, replayed }: Recovery,
    gaps: readonly GapReason[],
    position: string | null,
  ): void {
    if (over) return;
    this.#meters.recovery(recovered ? 'recovered' : 'gap');
    this.#meters.replayed(replayed);
    if (recovered) return;
    if (!this.#bucket.take()) {
      this.#unlogged++;
      return;
    }
    const unlogged = this.#unlogged === 0 ? {} : { unlogged: this.#unlogged };
    this.#unlogged = 0;
    const { connection, wire } = subscription;
    const from = since === null ? null : `${since.epoch}-${since.index}`;
    const now = position === null ? null : parsePosition(position);
    // Of all channels: more is not known of what is no longer there.
    const broadcasts =
      since !== null && now !== null && since.epoch === now.epoch ? now.index - since.index : null;
    this.#log.warn(
      {
        connection: connection.id,
        channel: wire,
        reasons: gaps,
        from,
        position,
        broadcasts,
        replayed,
        ...unlogged,
      },
      'a client came back, and something that it missed may be lost',
    );
  }
}

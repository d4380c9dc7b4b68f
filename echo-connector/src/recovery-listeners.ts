import { Listeners } from './listeners.ts';
import { decodeGap, decodeRecovery, type Gap, type Recovery } from './wire.ts';

/** Who is told of a channel's holes, and that it has gone on after a cut. */
export class RecoveryListeners {
  readonly gaps = new Listeners<[gap: Gap]>();
  readonly recoveries = new Listeners<[recovery: Recovery]>();

  clear(): void {
    this.gaps.clear();
    this.recoveries.clear();
  }

  /** An event of the channel, whichever. */
  receive(event: string, data: unknown, position: unknown): void {
    if (event === 'subscription_gap') this.gaps.call('', decodeGap(data, position));
    const recovery = event === 'subscription_succeeded' ? decodeRecovery(data) : null;
    if (recovery) this.recoveries.call('', recovery);
  }
}

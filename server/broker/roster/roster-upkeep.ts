import { UnavailableError } from '../../domain/outcome.ts';
import type { BrokerLog } from '../broker-log.ts';
import type { RosterDates } from './roster-dates.ts';
import type { RosterLease } from './roster-lease.ts';
import type { RosterRepair } from './roster-repair.ts';
import { inTurn } from './roster-steps.ts';

export interface RosterUpkeepOptions {
  readonly lease: RosterLease;
  readonly repair: RosterRepair;
  readonly dates: RosterDates;
  /** The rooms in which this node has seats. */
  readonly rooms: () => readonly string[];
  /** Between the rounds, in milliseconds. */
  readonly roundMs: number;
  readonly log: BrokerLog;
}

/** The rounds of a node: its lease, its own seats, what dead nodes left, and who lingered long enough. */
export class RosterUpkeep {
  readonly #lease: RosterLease;
  readonly #repair: RosterRepair;
  readonly #dates: RosterDates;
  readonly #rooms: () => readonly string[];
  readonly #roundMs: number;
  readonly #log: BrokerLog;
  #rounds: NodeJS.Timeout | null = null;
  #earlyRound: NodeJS.Timeout | null = null;
  #stopped = false;
  #restoreDue = false;
  #leaseLost = false;
  #renewal: Promise<string[]> | null = null;
  #round: Promise<void> | null = null;
  onRestored: () => void = () => {};

  constructor({ lease, repair, dates, rooms, roundMs, log }: RosterUpkeepOptions) {
    this.#lease = lease;
    this.#repair = repair;
    this.#dates = dates;
    this.#rooms = rooms;
    this.#roundMs = roundMs;
    this.#log = log;
  }

  /** Resolves after the first round, also where Redis is unreachable. */
  async start(): Promise<void> {
    await this.roundInBackground();
    if (this.#stopped) return;
    this.#rounds = setInterval(() => void this.roundInBackground(), this.#roundMs).unref();
  }

  /** Resolves when no round is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#rounds !== null) clearInterval(this.#rounds);
    if (this.#earlyRound !== null) clearTimeout(this.#earlyRound);
    this.#dates.stop();
    await this.settled();
  }

  /** Until all seats bear the name of the new lease, some may still bear an older one. */
  get restoring(): boolean {
    return this.#restoreDue;
  }

  /**
   * Renews the lease, or takes a new one where it was lost; then the repair waits for the next round.
   * One at a time; who comes meanwhile shares it. @returns the leases that have ended. @throws UnavailableError
   */
  renewLease(): Promise<string[]> {
    this.#renewal ??= this.#renewOrBegin().finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  }

  /** One at a time. @throws UnavailableError */
  round(): Promise<void> {
    this.#round ??= this.#doRound().finally(() => {
      this.#round = null;
    });
    return this.#round;
  }

  /** The same without a reject: its failures are logged, and the next round makes up for them. */
  async roundInBackground(): Promise<void> {
    await this.round().catch((err: unknown) => this.failed(err));
  }

  /** A whole round that begins now. */
  async newRoundInBackground(): Promise<void> {
    await this.settled();
    await this.roundInBackground();
  }

  /** Looks at every room, not only where there is doubt. @throws UnavailableError; the next round tries again */
  async restore(): Promise<void> {
    await this.settled();
    this.#restoreDue = true;
    await this.round();
  }

  /** A round that is under way may have begun before what the caller has in mind. */
  async settled(): Promise<void> {
    await this.#round?.catch(() => {});
  }

  failed(err: unknown): void {
    // Redis away is told by the connections, and so is what it answered in refusal.
    if (!(err instanceof UnavailableError)) this.#log.error({ err }, 'the roster could not be kept up');
  }

  async #renewOrBegin(): Promise<string[]> {
    const { holds, ended, nextMs } = await this.#lease.renew();
    this.#lookIn(nextMs);
    if (holds) return ended;
    this.#log.warn({ node: this.#lease.name }, 'the store has lost this node: its seats are entered again');
    this.#leaseLost = true;
    this.#restoreDue = true;
    this.#lease.beginGeneration();
    return (await this.#lease.renew()).ended;
  }

  /** At the end of a lease, if nobody renews it until then: members of a dead node must not wait for a round too. */
  #lookIn(delayMs: number | null): void {
    if (this.#earlyRound !== null) clearTimeout(this.#earlyRound);
    this.#earlyRound = null;
    if (this.#stopped || delayMs === null || delayMs >= this.#roundMs) return;
    this.#earlyRound = setTimeout(() => void this.roundInBackground(), delayMs).unref();
  }

  async #doRound(): Promise<void> {
    const ended = (await this.renewLease()).filter((name) => name !== this.#lease.name);
    await inTurn([
      () => this.#lease.keepList(),
      () => this.#putRight(),
      ...ended.map((name) => () => this.#repair.clearAway(name)),
      () => this.#dates.sweep(),
    ]);
  }

  async #putRight(): Promise<void> {
    if (this.#restoreDue) return this.#restoreAll();
    await inTurn([() => this.#repair.putDoubtfulRight(), () => this.#repair.scrub()]);
  }

  async #restoreAll(): Promise<void> {
    await this.#repair.putAllRight(this.#rooms());
    this.#restoreDue = false;
    if (!this.#leaseLost) return;
    this.#leaseLost = false;
    try {
      this.onRestored();
    } catch (err) {
      this.#log.error({ err }, 'the listener to restored seats failed');
    }
  }
}

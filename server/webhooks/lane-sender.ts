import type { EndpointAnswer } from './signed-endpoint.ts';
import type { Event } from './webhook-body.ts';

/** An event with its place in the lane. */
export interface Placed extends Event {
  readonly place: string;
}

/** What this part needs of the outbox, of one lane; any of it may throw where Redis is away. */
export interface Lane {
  /** Null: another node has the lane. */
  take(count: number): Promise<{
    readonly entries: readonly Placed[];
    readonly dropped: number;
    readonly waiting: number;
  } | null>;
  /** Whether it is this node's still. */
  hold(): Promise<boolean>;
  release(): Promise<void>;
  done(places: readonly string[]): Promise<void>;
  bury(places: readonly string[], reason: string): Promise<void>;
}

export interface SenderSettings {
  /** How long events are gathered, in milliseconds. */
  readonly batchMs: number;
  /** Events in one POST, at most. */
  readonly batchSize: number;
  /** Pause after the first failure, doubled up to the second, in milliseconds. */
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
  /** So often Laravel refuses one event, alone and while it takes others, before it is buried. */
  readonly attempts: number;
  /** How often a lane is held on to, in milliseconds. */
  readonly holdMs: number;
}

export interface SenderObserver {
  told(events: number): void;
  dropped(events: number): void;
  buried(event: Placed, reason: string): void;
  /** A POST that was not taken. */
  failed(reason: string, waiting: number): void;
  /** Redis is away, or something of ours went wrong. */
  faulted(error: unknown): void;
}

export type Post = (events: readonly Event[], signal: AbortSignal) => Promise<EndpointAnswer>;

/** Statuses that say that Laravel, or what stands before it, cannot answer now. Whatever else is no yes is a no. */
const AWAY = new Set([408, 425, 429, 502, 503, 504]);

type Outcome =
  | { readonly type: 'taken' }
  | {
      readonly type: 'away' | 'refused';
      readonly reason: string;
      readonly retryAfterMs: number | null;
    };

/**
 * Tells Laravel what is in one lane, in order, one batch at a time: what comes behind waits, whatever goes wrong, so
 * that no retry is overtaken. An event that Laravel refuses would make all wait for ever: batches with it are halved
 * until it stands alone, and it is buried only where Laravel takes an empty batch meanwhile. A Laravel that answers 500
 * to everything for an hour loses nothing by that.
 */
export class LaneSender {
  readonly #lane: Lane;
  readonly #settings: SenderSettings;
  readonly #post: Post;
  readonly #observer: SenderObserver;
  readonly #stopped = new AbortController();
  #running: Promise<void> | null = null;
  #failures = 0;
  #size: number;
  /** The event that was refused alone, and how often. */
  #suspect: { place: string; refusals: number } | null = null;
  #wake: () => void = () => {};

  constructor(lane: Lane, settings: SenderSettings, post: Post, observer: SenderObserver) {
    this.#lane = lane;
    this.#settings = settings;
    this.#post = post;
    this.#observer = observer;
    this.#size = settings.batchSize;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Breaks off what is under way: it is told again, with the same ids, by whoever goes on. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#wake();
    await this.#running;
    await this.#lane.release().catch(() => {
      // Redis is away: the lease ends by itself.
    });
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      let waitMs = this.#settings.retryMaxMs;
      try {
        waitMs = await this.#round();
      } catch (error) {
        waitMs = Math.min(1_000, this.#settings.retryMaxMs);
        this.#observer.faulted(error);
      }
      await this.#wait(waitMs);
    }
  }

  /** @returns how long to wait until the next, in milliseconds */
  async #round(): Promise<number> {
    const { batchMs } = this.#settings;
    const taken = await this.#lane.take(this.#size);
    if (taken === null) {
      this.#forgetFailures();
      return batchMs;
    }
    if (taken.dropped > 0) this.#observer.dropped(taken.dropped);
    const { entries, waiting } = taken;
    const [first] = entries;
    if (first === undefined) return batchMs;
    const outcome = await this.#tell(entries);
    if (this.#stopped.signal.aborted && outcome.type !== 'taken') return 0;
    if (outcome.type === 'taken') {
      await this.#taken(entries);
      return waiting > entries.length ? 0 : batchMs;
    }
    this.#failures++;
    this.#observer.failed(outcome.reason, waiting);
    if (outcome.type === 'refused' && (await this.#findSuspect(entries, first, outcome.reason))) return 0;
    return Math.max(this.#backoffMs(), Math.min(outcome.retryAfterMs ?? 0, this.#settings.retryMaxMs));
  }

  async #taken(entries: readonly Placed[]): Promise<true> {
    await this.#lane.done(entries.map(({ place }) => place));
    this.#observer.told(entries.length);
    this.#failures = 0;
    this.#suspect = null;
    this.#size = Math.min(this.#settings.batchSize, this.#size * 2);
    return true;
  }

  /** @returns whether the next round may follow at once */
  async #findSuspect(entries: readonly Placed[], first: Placed, reason: string): Promise<boolean> {
    if (entries.length > 1) {
      this.#size = Math.ceil(entries.length / 2);
      return false;
    }
    const refusals = this.#suspect?.place === first.place ? this.#suspect.refusals + 1 : 1;
    this.#suspect = { place: first.place, refusals };
    if (refusals < this.#settings.attempts) return false;
    // Whether it is the event, or Laravel that takes nothing at all. Asked once more afterwards: Laravel may have come
    // back between the two.
    if ((await this.#tell([])).type !== 'taken') return false;
    const last = await this.#tell(entries);
    if (last.type !== 'refused') return last.type === 'taken' && this.#taken(entries);
    await this.#lane.bury([first.place], reason);
    this.#observer.buried(first, reason);
    this.#forgetFailures();
    return true;
  }

  async #tell(entries: readonly Placed[]): Promise<Outcome> {
    const holding = setInterval(() => {
      this.#lane.hold().catch(() => {
        // Redis is away: whoever takes the lane over tells the same again.
      });
    }, this.#settings.holdMs);
    try {
      return outcomeOf(await this.#post(entries, this.#stopped.signal));
    } finally {
      clearInterval(holding);
    }
  }

  #backoffMs(): number {
    const { retryMinMs, retryMaxMs } = this.#settings;
    const fullMs = Math.min(retryMaxMs, retryMinMs * 2 ** Math.min(this.#failures - 1, 20));
    // Jittered by half: the lanes of all nodes must not come back to Laravel in step.
    return fullMs * (0.5 + Math.random() / 2);
  }

  #forgetFailures(): void {
    this.#failures = 0;
    this.#suspect = null;
    this.#size = this.#settings.batchSize;
  }

  /** Holds on to the lane meanwhile, or each node would try its own luck with a Laravel that is away. */
  async #wait(ms: number): Promise<void> {
    const endsAtMs = performance.now() + ms;
    for (;;) {
      const leftMs = endsAtMs - performance.now();
      if (this.#stopped.signal.aborted || (ms > 0 && leftMs <= 0)) return;
      await this.#sleep(Math.min(Math.max(leftMs, 0), this.#settings.holdMs));
      if (ms <= 0) return;
      if (this.#failures > 0) await this.#lane.hold().catch(() => false);
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function outcomeOf(answer: EndpointAnswer): Outcome {
  if (answer.type === 'network') return { type: 'away', reason: answer.reason, retryAfterMs: null };
  const { status, retryAfterMs } = answer;
  if (status >= 200 && status < 300) return { type: 'taken' };
  return { type: AWAY.has(status) ? 'away' : 'refused', reason: `status ${status}`, retryAfterMs };
}

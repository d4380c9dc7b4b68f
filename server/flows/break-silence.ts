import type { Access } from '../access/access.ts';
import type { ChannelSample } from '../broker/strays/sample-channels.ts';
import { isRejection } from '../domain/outcome.ts';
import type { FlowLog } from './parts.ts';

export interface SilenceParts {
  /** How often at most each kind of line is told, in milliseconds; 0: never. */
  readonly intervalMs: number;
  readonly prefix: string;
  /** Hears all of Redis for a moment; null: another node's turn, or no Redis. @throws what Redis answers */
  sample(intervalMs: number, signal: AbortSignal): Promise<ChannelSample | null>;
  /** By wire name: who is subscribed here. */
  joined(): ReadonlyMap<string, number>;
  readonly meters: { silence(kind: SilenceKind): void };
  readonly log: Pick<FlowLog, 'warn' | 'info' | 'debug'>;
}

export type SilenceKind = 'outside_prefix' | 'refused' | 'nobody_may_join';

interface Refusals {
  count: number;
  status: number;
}

/** Once is a visitor who may not; so often it is a mistake. */
const MANY = 5;
const MAX_CHANNELS = 1_000;

const MEANINGS: Readonly<Record<number, string>> = {
  0: 'Laravel was not reached: YAMABIKO_AUTH_URL, or it is down',
  401: "the guard of Laravel's broadcasting route knows nobody, or a token is bad",
  403: "routes/channels.php says no, or the page's cookie or bearer does not reach Laravel",
  404: 'Laravel has no such route: YAMABIKO_AUTH_URL, or broadcasting is not installed',
  419: 'a CSRF check: the auth route is none of /broadcasting/auth',
  500: 'Laravel threw an exception: its log says which',
  502: "the answer is none, as a login page's HTML: `yamabiko doctor` shows it",
};

/**
 * Says why nothing arrives, where laravel-echo-server said nothing: a line a minute for each kind, so that a log that is
 * open shows it and one that is kept is not filled.
 */
export class SilenceBreaker {
  readonly #parts: SilenceParts;
  readonly #ended = new AbortController();
  readonly #timer: NodeJS.Timeout | null;
  #refusals = new Map<string, Refusals>();
  /** An event of ours was heard once: the prefix is right, and others are another app's. */
  #prefixIsRight = false;
  #maySample = true;

  constructor(parts: SilenceParts) {
    this.#parts = parts;
    this.#timer =
      parts.intervalMs === 0 ? null : setInterval(() => void this.#look(), parts.intervalMs).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#ended.abort();
  }

  /** The same access, whose refusals are counted. */
  watching<A extends Access>(access: A): Access {
    return {
      decide: async (question) => {
        const decision = await access.decide(question);
        if (decision !== null && isRejection(decision)) this.#refused(question.channel.wire, decision.status);
        return decision;
      },
    };
  }

  #refused(wire: string, status: number): void {
    const known = this.#refusals.get(wire);
    if (known !== undefined) {
      known.count += 1;
      known.status = status;
    } else if (this.#refusals.size < MAX_CHANNELS) this.#refusals.set(wire, { count: 1, status });
  }

  async #look(): Promise<void> {
    const refusals = this.#refusals;
    this.#refusals = new Map();
    this.#tellRefusals(refusals);
    if (!this.#maySample) return;
    try {
      const sample = await this.#parts.sample(this.#parts.intervalMs, this.#ended.signal);
      if (sample === null || this.#ended.signal.aborted) return;
      this.#tellStrays(sample);
      this.#tellForbidden(sample, refusals);
    } catch (err) {
      const { message } = err as Error;
      if (!message.startsWith('NOPERM'))
        return this.#parts.log.debug({ err }, 'Redis could not be listened to');
      this.#maySample = false;
      this.#parts.log.info(
        {},
        'Redis lets this user not hear all channels: a wrong prefix cannot be noticed',
      );
    }
  }

  #tellRefusals(refusals: ReadonlyMap<string, Refusals>): void {
    const many = [...refusals].filter(([, { count }]) => count >= MANY);
    const [worst] = many.sort(([, a], [, b]) => b.count - a.count);
    if (worst === undefined) return;
    const [channel, { count, status }] = worst;
    this.#parts.meters.silence('refused');
    this.#parts.log.warn(
      { channel, count, status, channels: many.length },
      `subscriptions are refused again and again with ${status}: ${MEANINGS[status] ?? '`yamabiko doctor` looks into it'}`,
    );
  }

  #tellStrays({ own, strays }: ChannelSample): void {
    this.#prefixIsRight ||= own.size > 0;
    const [most] = strays;
    if (most === undefined || this.#prefixIsRight) return;
    const { prefix: theirs, channel, count } = most;
    this.#parts.meters.silence('outside_prefix');
    const where = theirs === null ? `on ${channel}` : `under '${theirs}'`;
    this.#parts.log.warn(
      { channel, count },
      `events arrive ${where}, but YAMABIKO_REDIS_PREFIX is '${this.#parts.prefix}': nobody hears them`,
    );
  }

  #tellForbidden({ own }: ChannelSample, refusals: ReadonlyMap<string, Refusals>): void {
    const joined = this.#parts.joined();
    const found = [...own.keys()].find((wire) => refusals.has(wire) && !joined.has(wire));
    if (found === undefined) return;
    this.#parts.meters.silence('nobody_may_join');
    this.#parts.log.warn(
      { channel: found, ...refusals.get(found) },
      'Laravel publishes on a channel that nobody may join: whoever tried was refused',
    );
  }
}

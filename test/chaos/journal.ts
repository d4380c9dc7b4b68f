import { Redis } from 'ioredis';
import { baseOf } from './scene.ts';

/** Something that was published for clients, as Redis itself told it. */
export interface Published {
  /** Place in the one order of all channels. */
  readonly index: number;
  /** Bears the number of its author; of an event on several channels one for each. */
  readonly id: string;
  readonly redisChannel: string;
  /** `event` stays on its wire name, `message` goes to the whole room. */
  readonly form: 'event' | 'message';
  readonly base: string;
  readonly exceptSocketId: string | null;
  readonly targetUserId: string | null;
  /** When its author began to publish it: it was not published before. */
  readonly begunAt: number;
  /** When it was heard here: it was not published after. */
  readonly heardAt: number;
}

export interface Span {
  readonly from: number;
  to: number | null;
}

/** An event's id on one wire name. */
export const eventId = (key: string, wire: string): string => `${key}@${wire}`;

/**
 * A subscriber of its own on every channel: what Redis published, in Redis's order. Blind only while Redis itself
 * is gone; then nobody here publishes.
 */
export class Journal {
  readonly entries: Published[] = [];
  readonly #byId = new Map<string, Published>();
  readonly #begun = new Map<string, number>();
  readonly #heardKeys = new Set<string>();
  readonly #expected: { readonly key: string; readonly client: string; readonly at: number }[] = [];
  readonly #redis: Redis;
  readonly #names: readonly string[];
  readonly blindSpans: Span[] = [];
  live = false;

  /** @param channels without prefix */
  constructor(url: string, prefix: string, channels: readonly string[]) {
    this.#names = channels.map((channel) => prefix + channel);
    this.#redis = new Redis(url, {
      connectionName: 'chaos-journal',
      autoResubscribe: false,
      lazyConnect: true,
      maxRetriesPerRequest: 0,
      retryStrategy: () => 20,
    });
    this.#redis.on('error', () => {});
    this.#redis.on('ready', () => void this.#listen());
    this.#redis.on('close', () => this.#blind());
    this.#redis.on('message', (name: string, payload: string) =>
      this.take(name.slice(prefix.length), payload),
    );
  }

  open(): Promise<void> {
    return this.#redis.connect();
  }

  close(): void {
    this.#redis.disconnect();
  }

  get(id: string): Published | undefined {
    return this.#byId.get(id);
  }

  /** Before it is published. */
  begin(key: string): void {
    this.#begun.set(key, Date.now());
  }

  /** A client was told that this was taken: it must be here, now or a moment later. */
  expect(key: string, client: string): void {
    this.#expected.push({ key, client, at: Date.now() });
  }

  /** What was taken until now and was never published. */
  notPublished(): { key: string; client: string }[] {
    return this.#expected
      .splice(0)
      .filter(({ key, at }) => !this.#heardKeys.has(key) && !this.wasBlind(at, 2_500));
  }

  /** @returns 0 for what was never begun here. @param id of an event or message */
  begunAt(id: string): number {
    return this.#begun.get(id.split('@')[0] as string) ?? 0;
  }

  /** True where what was published at that time may be missing here. */
  wasBlind(atMs: number, slackMs: number): boolean {
    return this.blindSpans.some(
      ({ from, to }) => from - slackMs <= atMs && atMs <= (to ?? Number.POSITIVE_INFINITY) + slackMs,
    );
  }

  /** @param redisChannel without prefix */
  take(redisChannel: string, payload: string, heardAt = Date.now()): void {
    const decoded = decode(redisChannel, JSON.parse(payload));
    if (decoded === null) return;
    const { key, ...rest } = decoded;
    const id = rest.form === 'event' ? eventId(key, redisChannel) : key;
    const begunAt = this.#begun.get(key) ?? heardAt;
    const entry: Published = { ...rest, id, redisChannel, begunAt, heardAt, index: this.entries.length };
    this.entries.push(entry);
    this.#byId.set(id, entry);
    this.#heardKeys.add(key);
  }

  async #listen(): Promise<void> {
    try {
      await this.#redis.subscribe(...this.#names);
      this.live = true;
      const span = this.blindSpans.at(-1);
      if (span !== undefined) span.to = Date.now();
    } catch {
      // Gone again; the next "ready" subscribes.
    }
  }

  #blind(): void {
    if (this.live) this.blindSpans.push({ from: Date.now(), to: null });
    this.live = false;
  }
}

interface Decoded {
  readonly key: string;
  readonly form: 'event' | 'message';
  readonly base: string;
  readonly exceptSocketId: string | null;
  readonly targetUserId: string | null;
}

interface Payload {
  readonly yamabiko?: string;
  readonly user?: string;
  readonly event?: string;
  readonly socket?: string | null;
  readonly channel?: string;
  readonly data?: { readonly message: string; readonly target_user_id?: number };
}

/** @returns null for what clients do not hear as an event: joins and leaves */
function decode(redisChannel: string, payload: Payload): Decoded | null {
  const { data } = payload;
  if (payload.yamabiko === 'joined' || payload.yamabiko === 'left' || data === undefined) return null;
  const key = data.message;
  const base = baseOf(redisChannel);
  if (payload.yamabiko === 'message')
    return { key, form: 'message', base, exceptSocketId: null, targetUserId: payload.user ?? null };
  const exceptSocketId = payload.socket ?? null;
  if (redisChannel === 'broadcast') {
    const target = data.target_user_id;
    const targetUserId = target === undefined ? null : String(target);
    return { key, form: 'message', base: payload.channel ?? '', exceptSocketId, targetUserId };
  }
  const form = payload.event === 'message' ? 'message' : 'event';
  return { key, form, base, exceptSocketId, targetUserId: null };
}

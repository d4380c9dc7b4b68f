import { Asker } from './asker.ts';
import type { Lane, Placed } from './lane-sender.ts';
import type { BodySettings } from './webhook-body.ts';
import { type WebhookLog, type WebhookMeters, Webhooks } from './webhooks.ts';

export interface WebhooksConfig {
  /** Null: Laravel is told nothing. */
  readonly url: string | null;
  readonly key: string;
  readonly secrets: readonly string[];
  readonly timeoutMs: number;
  readonly batchMs: number;
  readonly batchSize: number;
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
  readonly attempts: number;
  readonly events: readonly string[];
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
  readonly maxKeptApart: number;
}

/** The outbox as this part needs it. */
interface LanesOfOutbox {
  readonly lanes: number;
  take(
    lane: number,
    count: number,
  ): Promise<{ entries: readonly Placed[]; dropped: number; waiting: number } | null>;
  hold(lane: number): Promise<boolean>;
  release(lane: number): Promise<void>;
  done(lane: number, places: readonly string[]): Promise<void>;
  bury(lane: number, places: readonly string[], reason: string): Promise<void>;
}

export interface BuildWebhooks {
  readonly config: WebhooksConfig;
  readonly outbox: LanesOfOutbox | null;
  /** A node is silent for so long before others take over from it, in milliseconds. */
  readonly nodeTtlMs: number;
  readonly names: Omit<BodySettings, 'events'>;
  readonly log: WebhookLog;
  readonly meters: WebhookMeters;
}

/** What is kept for Laravel until it has been told; null: nothing. */
export function tellingOf(config: WebhooksConfig) {
  if (config.url === null) return null;
  const told = new Set(config.events);
  return {
    maxEntries: config.maxWaiting,
    maxBytes: config.maxWaitingBytes,
    maxBuried: config.maxKeptApart,
    members: told.has('member_added') || told.has('member_removed'),
    occupancy: told.has('channel_occupied') || told.has('channel_vacated'),
  };
}

/** @returns null where nobody is asked before a send */
export function buildAsker(config: Pick<WebhooksConfig, 'key' | 'secrets'> & AskConfig): Asker | null {
  const { askUrl, askTimeoutMs } = config;
  return askUrl === null ? null : new Asker({ url: askUrl, timeoutMs: askTimeoutMs }, config);
}

interface AskConfig {
  readonly askUrl: string | null;
  readonly askTimeoutMs: number;
}

const HOLDS_PER_TTL = 6;

/** @returns null where Laravel is told nothing */
export function buildWebhooks({
  config,
  outbox,
  nodeTtlMs,
  names,
  log,
  meters,
}: BuildWebhooks): Webhooks | null {
  const { url, timeoutMs } = config;
  if (url === null || outbox === null) return null;
  return new Webhooks({
    lanes: Array.from({ length: outbox.lanes }, (_, lane) => laneOf(outbox, lane)),
    endpoint: { url, timeoutMs },
    key: config,
    settings: { ...config, holdMs: nodeTtlMs / HOLDS_PER_TTL },
    body: { ...names, events: new Set(config.events) },
    log,
    meters,
  });
}

function laneOf(outbox: LanesOfOutbox, lane: number): Lane {
  return {
    take: (count) => outbox.take(lane, count),
    hold: () => outbox.hold(lane),
    release: () => outbox.release(lane),
    done: (places) => outbox.done(lane, places),
    bury: (places, reason) => outbox.bury(lane, places, reason),
  };
}

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Broadcast } from '../domain/broadcast.ts';
import type { Code } from '../domain/catalogue.ts';
import type { SubscriptionKind } from '../domain/subscription.ts';
import { HeldGauge } from './held-gauge.ts';
import { LabelBound } from './label-bound.ts';

export interface MetricsParts {
  /** Seats held by this node: asked at each reading, so that it cannot drift from the roster's own count. */
  seatCount(): number;
  /** What a publish takes to come back, in milliseconds; null where that is not measured. */
  busLagMs(): number | null;
  /** What is held towards Laravel's auth endpoint. */
  laravel(): { readonly waiting: number; readonly isGivenUp: boolean };
  /** The process's own metrics too (CPU, heap, event loop); for one server of a process. */
  readonly processMetrics: boolean;
}

/** What is held now; all zero when every client has left. */
export interface MetricsSnapshot {
  readonly connections: Readonly<Record<string, number>>;
  readonly subscriptions: Readonly<Record<string, number>>;
  readonly members: number;
}

/** From an answer of a Laravel beside us to one that takes its whole time limit. */
const AUTH_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * The numbers of one server, in a registry of its own: several servers in one process stay apart. Every method
 * is a plain callback that a part can be handed. Labels are bounded; a channel, token or id is never one.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #seatCount: () => number;
  readonly #connections = new HeldGauge(this.#registry, {
    name: 'yamabiko_connections',
    help: 'Connections open on this node',
    label: 'protocol',
  });
  readonly #subscriptions = new HeldGauge(this.#registry, {
    name: 'yamabiko_subscriptions',
    help: 'Subscriptions live on this node',
    label: 'kind',
  });
  readonly #busReady = new Gauge({
    name: 'yamabiko_bus_ready',
    help: '1 when publishing and hearing have been proved, else 0',
    registers: [this.#registry],
  });
  readonly #broadcasts = this.#counter('yamabiko_broadcasts_total', 'Broadcasts that the bus brought', [
    'type',
  ]);
  readonly #deliveries = this.#counter('yamabiko_deliveries_total', 'Frames handed to connections', [
    'protocol',
  ]);
  readonly #dropped = this.#counter('yamabiko_dropped_total', 'Payloads and frames dropped', [
    'source',
    'reason',
  ]);
  readonly #refusals = this.#counter('yamabiko_refusals_total', 'Commands and connections refused', ['code']);
  readonly #silences = this.#counter(
    'yamabiko_silences_total',
    'Times that it was found why nothing arrives',
    ['kind'],
  );
  readonly #authRequests = this.#counter('yamabiko_auth_requests_total', 'Questions to Laravel', ['outcome']);
  readonly #busGaps = this.#counter('yamabiko_bus_gaps_total', 'Times that broadcasts may have been lost', [
    'reason',
  ]);
  readonly #recoveries = this.#counter(
    'yamabiko_recoveries_total',
    'Subscriptions that came back with a position',
    ['outcome'],
  );
  readonly #replayed = new Counter({
    name: 'yamabiko_replayed_broadcasts_total',
    help: 'Missed broadcasts written to those who came back',
    registers: [this.#registry],
  });
  readonly #historyKept = new Gauge({
    name: 'yamabiko_history_kept',
    help: '1 while broadcasts are kept for those who come back, 0 with plain delivery',
    registers: [this.#registry],
  });
  readonly #rosterFaults = this.#counter(
    'yamabiko_roster_faults_total',
    'Things in the member lists in Redis that no node wrote',
    ['fault'],
  );
  readonly #webhookEvents = this.#counter(
    'yamabiko_webhook_events_total',
    'Webhook events by what became of them',
    ['outcome'],
  );
  readonly #webhookFailures = new Counter({
    name: 'yamabiko_webhook_failures_total',
    help: 'Requests with webhooks that Laravel did not take',
    registers: [this.#registry],
  });
  readonly #authSeconds = new Histogram({
    name: 'yamabiko_auth_seconds',
    help: "Time to Laravel's answer, retries included",
    buckets: AUTH_BUCKETS_SECONDS,
    registers: [this.#registry],
  });

  constructor({ seatCount, busLagMs, laravel, processMetrics }: MetricsParts) {
    this.#seatCount = seatCount;
    new Gauge({
      name: 'yamabiko_members',
      help: 'Seats held by this node: places of connections in rooms',
      registers: [this.#registry],
      collect() {
        this.set(seatCount());
      },
    });
    new Gauge({
      name: 'yamabiko_bus_lag_seconds',
      help: 'What the last probe took to come back through Redis; 0 in memory',
      registers: [this.#registry],
      collect() {
        this.set((busLagMs() ?? 0) / 1000);
      },
    });
    new Gauge({
      name: 'yamabiko_auth_waiting',
      help: 'Questions to Laravel that wait for their turn',
      registers: [this.#registry],
      collect() {
        this.set(laravel().waiting);
      },
    });
    new Gauge({
      name: 'yamabiko_auth_given_up',
      help: '1 while Laravel is left alone since it did not answer, else 0',
      registers: [this.#registry],
      collect() {
        this.set(laravel().isGivenUp ? 1 : 0);
      },
    });
    if (processMetrics) collectDefaultMetrics({ register: this.#registry });
  }

  readonly connectionOpened = (protocol: string): void => this.#connections.add(protocol, 1);
  readonly connectionClosed = (protocol: string): void => this.#connections.add(protocol, -1);
  readonly subscribed = (kind: SubscriptionKind): void => this.#subscriptions.add(kind, 1);
  readonly unsubscribed = (kind: SubscriptionKind): void => this.#subscriptions.add(kind, -1);
  readonly broadcast = (type: Broadcast['type']): void => this.#broadcasts({ type });
  readonly delivered = (protocol: string, count: number): void => this.#deliveries({ protocol }, count);
  /** @param reason a word of ours (`bad_json`), never a text with foreign input in it */
  readonly dropped = (source: string, reason: string): void => this.#dropped({ source, reason });
  readonly refused = (code: Code): void => this.#refusals({ code });
  readonly silence = (kind: string): void => this.#silences({ kind });
  readonly webhookEvents = (outcome: 'told' | 'dropped' | 'buried', count: number): void =>
    this.#webhookEvents({ outcome }, count);
  readonly webhookFailed = (): void => this.#webhookFailures.inc();
  readonly busReady = (ready: boolean): void => this.#busReady.set(ready ? 1 : 0);
  readonly busGap = (reason: string): void => this.#busGaps({ reason });
  readonly recovery = (outcome: 'recovered' | 'gap'): void => this.#recoveries({ outcome });
  readonly replayed = (frames: number): void => this.#replayed.inc(frames);
  readonly historyKept = (kept: boolean): void => this.#historyKept.set(kept ? 1 : 0);
  readonly rosterFault = (fault: string): void => this.#rosterFaults({ fault });
  /** A question to Laravel that was answered without asking. */
  readonly authCached = (): void => this.#authRequests({ outcome: 'cached' });
  readonly authRequest = (outcome: string, seconds: number): void => {
    this.#authRequests({ outcome });
    this.#authSeconds.observe(seconds);
  };

  snapshot(): MetricsSnapshot {
    return {
      connections: this.#connections.snapshot(),
      subscriptions: this.#subscriptions.snapshot(),
      members: this.#seatCount(),
    };
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Prometheus's text format. */
  metrics(): Promise<string> {
    return this.#registry.metrics();
  }

  #counter<Label extends string>(name: string, help: string, labelNames: readonly [Label, ...Label[]]) {
    const counter = new Counter({ name, help, labelNames: [...labelNames], registers: [this.#registry] });
    const bounds = labelNames.map((label) => [label, new LabelBound()] as const);
    // Found by what they are called with, so that a broadcast builds no labels: as few as the bounds let through.
    const children = new Map<string, Counter.Internal>();
    return (labels: Record<Label, string>, count = 1): void => {
      const key = labelNames.length === 1 ? labels[labelNames[0]] : Object.values(labels).join('\n');
      const known = children.get(key);
      if (known !== undefined) return known.inc(count);
      const bounded = bounds.map(([label, bound]) => [label, bound.of(labels[label])] as const);
      const child = counter.labels(Object.fromEntries(bounded) as Record<Label, string>);
      if (bounded.every(([label, value]) => labels[label] === value)) children.set(key, child);
      child.inc(count);
    };
  }
}

import { type Lane, LaneSender, type SenderObserver, type SenderSettings } from './lane-sender.ts';
import type { SigningKey } from './signature.ts';
import { type EndpointAnswer, type EndpointSettings, SignedEndpoint } from './signed-endpoint.ts';
import { type BodySettings, webhookBody } from './webhook-body.ts';

export interface WebhookLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface WebhookMeters {
  /** What became of events: `told`, `dropped` where too many wait, `buried` where Laravel refuses one for good. */
  webhookEvents(outcome: 'told' | 'dropped' | 'buried', count: number): void;
  /** POSTs that Laravel did not take. */
  webhookFailed(): void;
}

export interface WebhookParts {
  readonly lanes: readonly Lane[];
  readonly endpoint: EndpointSettings;
  readonly key: SigningKey;
  readonly settings: SenderSettings;
  readonly body: BodySettings;
  readonly log: WebhookLog;
  readonly meters: WebhookMeters;
}

const NOTHING_TO_SAY: EndpointAnswer = { type: 'answer', status: 200, body: null, retryAfterMs: null };

/** One line in so many milliseconds for what goes wrong in the same way again and again. */
const LOG_INTERVAL_MS = 30_000;

/** Tells Laravel what happened (protocol.md section 8), lane by lane. */
export class Webhooks {
  readonly #endpoint: SignedEndpoint;
  readonly #senders: readonly LaneSender[];

  constructor({ lanes, endpoint, key, settings, body, log, meters }: WebhookParts) {
    const signed = new SignedEndpoint(endpoint, key);
    const observer = observe(log, meters);
    this.#endpoint = signed;
    this.#senders = lanes.map(
      (lane) =>
        new LaneSender(
          lane,
          settings,
          async (events, signal) => {
            const text = webhookBody(events, body);
            return text === null ? NOTHING_TO_SAY : signed.post(text, signal);
          },
          observer,
        ),
    );
  }

  start(): void {
    for (const sender of this.#senders) sender.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#senders.map((sender) => sender.stop()));
    await this.#endpoint.stop();
  }
}

function observe(log: WebhookLog, meters: WebhookMeters): SenderObserver {
  let failing = false;
  let loggedAtMs = Number.NEGATIVE_INFINITY;
  const seldom = () => {
    if (performance.now() - loggedAtMs < LOG_INTERVAL_MS) return false;
    loggedAtMs = performance.now();
    return true;
  };
  return {
    told(events) {
      meters.webhookEvents('told', events);
      if (failing) log.info({}, 'Laravel takes webhooks again');
      failing = false;
    },
    dropped(events) {
      meters.webhookEvents('dropped', events);
      log.error({ events }, 'webhook events were dropped: more wait than may be kept');
    },
    buried({ id, kind, room }, reason) {
      meters.webhookEvents('buried', 1);
      log.error({ id, kind, room, reason }, 'Laravel refuses a webhook event for good: kept apart');
    },
    failed(reason, waiting) {
      meters.webhookFailed();
      if (!failing || seldom())
        log.warn({ reason, waiting }, 'Laravel does not take webhooks: they are kept and tried again');
      failing = true;
    },
    faulted(err) {
      // Redis away is told by its connections.
      const unavailable = err instanceof Error && err.name === 'UnavailableError';
      if (!unavailable && seldom()) log.error({ err }, 'webhooks could not be told');
    },
  };
}

import type { Telling } from '../broker/outbox/outbox.ts';
import type { Connection } from '../connection/connection.ts';
import type { Subscription } from '../connection/subscription.ts';
import { TokenBucket } from '../connection/token-bucket.ts';
import type { Code } from '../domain/catalogue.ts';
import { UnavailableError } from '../domain/outcome.ts';
import type { FlowLog } from './parts.ts';

/** What Laravel can be told of (docs/laravel.md). */
export type WebhookEvent =
  | 'channel_occupied'
  | 'channel_vacated'
  | 'member_added'
  | 'member_removed'
  | 'client_event'
  | 'message'
  | 'connection_ended';

/** Ends that a limit brings about; the others have other causes, which Laravel knows or need not know. */
const LIMITS: ReadonlySet<Code> = new Set([
  'rate_limited',
  'limit_reached',
  'too_large',
  'too_slow',
  'protocol_abuse',
]);

/** Strangers can cause ends at will, and must not drive out what else Laravel is to be told: so many at once, then so many a second. */
const ENDS_BURST = 50;
const ENDS_PER_SECOND = 10;

export interface TellLaravelParts {
  readonly events: ReadonlySet<WebhookEvent>;
  /** @throws UnavailableError */
  tell(telling: Telling): Promise<void>;
  /** An event that nobody will be told. */
  dropped(): void;
  readonly log: Pick<FlowLog, 'error'>;
}

/** What clients cause, as Laravel is told it; what the roster causes it tells by itself. */
export class TellLaravel {
  readonly #parts: TellLaravelParts;
  readonly #ends = new TokenBucket(ENDS_BURST, ENDS_PER_SECOND);

  constructor(parts: TellLaravelParts) {
    this.#parts = parts;
  }

  /** @param data JSON text, as receivers get it. @returns null where Laravel is not told of messages */
  message(
    { channel, connection, member }: Subscription,
    { data, userId }: { data: string; userId: string | null },
  ): Telling | null {
    if (!this.#parts.events.has('message') || member === null) return null;
    const { name } = JSON.parse(member.user) as { name: string };
    const fields = {
      name: 'message',
      channel: channel.base,
      user_id: member.userId,
      user_name: name,
      socket_id: connection.socketId,
      ...(userId !== null && { recipient_id: userId }),
    };
    return { order: channel.base, json: withData(fields, data) };
  }

  /** @param order the room that the channel is a way into. @param data JSON text; as in Pusher's it is told as a text */
  clientEvent(
    { wire, connection, userId }: Subscription,
    order: string,
    { event, data }: { event: string; data: string },
  ): Telling | null {
    if (!this.#parts.events.has('client_event')) return null;
    const fields = {
      name: 'client_event',
      channel: wire,
      event,
      data,
      socket_id: connection.socketId,
      ...(userId !== null && { user_id: userId }),
    };
    return { order, json: JSON.stringify(fields) };
  }

  /** This server ended a connection. Only where a limit was the cause. */
  ended(connection: Connection, code: Code): void {
    if (!this.#parts.events.has('connection_ended') || !LIMITS.has(code)) return;
    if (!this.#ends.take()) return this.#parts.dropped();
    const subscriptions = [...connection.subscriptions.values()];
    const userId = subscriptions.find(({ member }) => member !== null)?.member?.userId;
    const channels = subscriptions.map(({ wire }) => wire);
    const fields = {
      name: 'connection_ended',
      channel: channels[0] ?? '',
      channels,
      code,
      protocol: connection.protocol.name,
      socket_id: connection.socketId,
      ...(userId !== undefined && { user_id: userId }),
    };
    this.#parts.tell({ order: connection.socketId, json: JSON.stringify(fields) }).catch((error: unknown) => {
      this.#parts.dropped();
      if (!(error instanceof UnavailableError))
        this.#parts.log.error({ err: error }, 'what Laravel was to be told was lost');
    });
  }
}

function withData(fields: object, data: string): string {
  return `${JSON.stringify(fields).slice(0, -1)},"data":${data}}`;
}

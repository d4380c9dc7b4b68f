import express, { type RequestHandler, Router } from 'express';
import { type ChannelName, parseChannelName, type ReservedNames } from '../../domain/channel-name.ts';
import { jsonValue } from '../../domain/json-text.ts';
import type { Member } from '../../domain/member.ts';
import { isRejection, reject } from '../../domain/outcome.ts';
import { type DecodedEvent, decodeHttpEvent } from './http-api-event.ts';
import { sendRejection } from './http-api-refusal.ts';

/** `application/json` and kin (`application/vnd.api+json`), in the one charset that JSON has. */
const JSON_TYPE = /^application\/(?:[a-z0-9.-]+\+)?json *(?:; *charset *= *"?utf-?8"? *)?$/i;

/** What is asked about channels, answered over all nodes. All throw UnavailableError where Redis is away. */
export interface ChannelQueries {
  status(): Promise<{ readonly subscriptionCount: number }>;
  /** Every channel with a subscription whose wire name begins with `prefix`, taken literally. */
  channels(prefix: string): Promise<ReadonlyMap<string, ChannelState>>;
  channel(channel: ChannelName): Promise<ChannelState>;
  /** Each user of a presence channel's room once. */
  users(channel: ChannelName): Promise<readonly Member[]>;
}

interface ChannelState {
  readonly subscriptionCount: number;
  readonly occupied: boolean;
  /** On a presence channel. */
  readonly userCount?: number;
}

export interface EchoHttpApiParts {
  /** Lets through who bears the key of the app in the path. */
  readonly guard: RequestHandler<{ appId: string }>;
  readonly queries: ChannelQueries;
  /** @throws UnavailableError */
  publish(event: DecodedEvent): Promise<void>;
  readonly reserved: ReservedNames;
  /** Whether apps may publish; if not they only read. */
  readonly publishes: boolean;
  /** Longest body of a POST, inflated; default 1 MiB. */
  readonly bodyLimitBytes: number;
}

/**
 * laravel-echo-server's HTTP API (protocol.md section 7), mounted at `/`. Refusals are `{"error","code"}`; what
 * is thrown (Redis away, a body that is too large) goes to the HTTP app's boundary.
 */
export function createEchoHttpApi(parts: EchoHttpApiParts): Router {
  const { queries, publish, reserved } = parts;
  const router = Router();
  router.use('/apps/:appId', parts.guard, forbidCaching);

  router.get('/apps/:appId/status', async (_req, res) => {
    const { subscriptionCount } = await queries.status();
    res.json({
      subscription_count: subscriptionCount,
      uptime: process.uptime(),
      memory_usage: process.memoryUsage(),
    });
  });

  router.get('/apps/:appId/channels', async (req, res) => {
    const { filter_by_prefix: prefix = '' } = req.query;
    if (typeof prefix !== 'string')
      return sendRejection(res, reject('invalid_message', 'filter_by_prefix must be given once'));
    const states = [...(await queries.channels(prefix))].map(([wire, state]) => [wire, spellState(state)]);
    res.json({ channels: Object.fromEntries(states) });
  });

  router.get('/apps/:appId/channels/:name', async (req, res) => {
    const channel = parseChannelName(req.params.name, reserved);
    if (isRejection(channel)) return sendRejection(res, channel);
    const state = await queries.channel(channel);
    res.json({
      ...spellState(state),
      ...(channel.kind === 'presence' && { user_count: state.userCount ?? 0 }),
    });
  });

  router.get('/apps/:appId/channels/:name/users', async (req, res) => {
    const channel = parseChannelName(req.params.name, reserved);
    if (isRejection(channel)) return sendRejection(res, channel);
    if (channel.kind !== 'presence')
      return sendRejection(
        res,
        reject('invalid_channel', 'User list is only possible for Presence Channels'),
      );
    const users = (await queries.users(channel)).map(spellUser);
    res.type('json').send(`{"users":[${users.join(',')}]}`);
  });

  if (!parts.publishes)
    router.post('/apps/:appId/events', (_req, res) =>
      sendRejection(res, reject('forbidden', 'publishing by HTTP is turned off (YAMABIKO_HTTP_EVENTS)')),
    );
  router.post('/apps/:appId/events', requireJson, readBytes(parts.bodyLimitBytes), async (req, res) => {
    const event = decodeHttpEvent(req.body ?? new Uint8Array(), reserved);
    if (isRejection(event)) return sendRejection(res, event);
    await publish(event);
    res.json({ message: 'ok' });
  });
  return router;
}

const forbidCaching: RequestHandler = (_req, res, next) => {
  res.set('cache-control', 'no-store');
  next();
};

/**
 * A body that says nothing of its type is taken as JSON, as laravel-echo-server took all; one that says that it
 * is something else is 415.
 */
const requireJson: RequestHandler<{ appId: string }> = (req, res, next) => {
  if (isJsonType(req.headers['content-type'])) return next();
  sendRejection(res, reject('unsupported_media_type', 'the body must be JSON in UTF-8'));
};

/** The body as bytes in `req.body`, undefined where there is none: its numbers must not be parsed and rewritten. */
function readBytes(limit: number): RequestHandler<{ appId: string }> {
  return express.raw({ limit, type: () => true });
}

function isJsonType(contentType: string | undefined): boolean {
  return contentType === undefined || JSON_TYPE.test(contentType);
}

function spellState({ subscriptionCount, occupied }: ChannelState) {
  return { subscription_count: subscriptionCount, occupied };
}

/** Spliced, since an id may be beyond 2^53; a member may have no info. */
function spellUser({ json }: Member): string {
  const info = jsonValue(json, 'user_info');
  return `{"id":${jsonValue(json, 'user_id')}${info === undefined ? '' : `,"user_info":${info}`}}`;
}

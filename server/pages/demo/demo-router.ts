import { createReadStream } from 'node:fs';
import path from 'node:path';
import express, { type NextFunction, type Request, type Response, type Router } from 'express';
import { isRejection, type Rejection, reject } from '../../domain/outcome.ts';
import {
  DEMO_ROOM,
  decodeChat,
  decodeEvent,
  decodeJob,
  decodeTokenRequest,
  decodeTweet,
  decodeUserHeader,
} from './demo-input.ts';
import { authoriseDemoChannel } from './laravel-auth.ts';
import { chatPayload, eventPayload, type Publication, tweetPayload } from './laravel-payload.ts';
import { refuseStrangers } from './loopback-guard.ts';
import { contentSecurityPolicy } from './page-security.ts';
import { createSampleJobs } from './sample-job.ts';

export interface DemoDeps {
  /** Signs a token with this run's secret. @param ttlSeconds how long it is good */
  mintToken(
    claims: { readonly id: number; readonly name: string; readonly channel: string },
    ttlSeconds: number,
  ): Promise<string>;
  /** @param channel without the Redis prefix; `broadcast` is the custom channel. @throws where the bus is away */
  publish(channel: string, payload: string): Promise<void>;
  /** Absolute path of the folder that `npm run build:demo` wrote. */
  readonly assetsDir: string;
  /** Ends running sample jobs; aborted when the server stops. */
  readonly signal: AbortSignal;
  readonly logger: DemoLogger;
  /** Time between two steps of the sample job, in milliseconds. Default 150. */
  readonly jobStepMs?: number;
}

export interface DemoLogger {
  warn(fields: object, message: string): void;
}

/** Long enough for a demonstration; the clients fetch a new one by themselves. */
const TOKEN_TTL_SECONDS = 3600;
/** The page's requests are small; anything larger is not from it. */
const MAX_BODY = '8kb';

/**
 * The demo page and, under `/demo/*`, what stands in for Laravel on it: a token route, `/broadcasting/auth`, and
 * buttons that write to the bus the bytes that Laravel would write.
 *
 * MUST be mounted at `/demo` and only in development mode: `POST /demo/token` gives anybody a token.
 */
export function createDemo(deps: DemoDeps): Router {
  const router = express.Router();
  const jobs = createSampleJobs(deps);
  router.use(refuseStrangers);
  router.get('/', (request, response) => servePage(deps.assetsDir, request, response));
  router.use(
    '/assets',
    express.static(path.join(deps.assetsDir, 'assets'), { index: false, redirect: false }),
  );

  // Laravel's endpoint takes a form; whoever asks is our own server, on behalf of the page.
  router.post('/auth', express.urlencoded({ extended: false, limit: MAX_BODY }), (request, response) => {
    const answer = authoriseDemoChannel(request.body, request.get('x-demo-user'));
    response.status(answer.status).json(answer.body);
  });

  router.use(requireJson, express.json({ limit: MAX_BODY }));
  router.post('/token', async (request, response) => {
    const wanted = decodeTokenRequest(request.body);
    if (isRejection(wanted)) return refuse(response, wanted);
    response.json({ token: await deps.mintToken(wanted, TOKEN_TTL_SECONDS) });
  });
  router.post('/publish/:kind', async (request, response) => {
    const publication = publicationOf(request);
    if (isRejection(publication)) return refuse(response, publication);
    await deps.publish(publication.channel, publication.payload);
    response.status(202).json(publication);
  });
  router.post('/job', (request, response) => {
    const job = decodeJob(request.body);
    const started = isRejection(job) ? job : jobs.start(job.total);
    if (isRejection(started)) return refuse(response, started);
    response.status(202).json(started);
  });

  router.use((_request, response) => {
    response.status(404).json({ error: 'the demo has no such page', code: 'invalid_message' });
  });
  router.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) return next(error);
    refuse(response, rejectionOf(error, deps.logger));
  });
  return router;
}

function publicationOf(request: Request): Publication | Rejection {
  const body: unknown = request.body;
  switch (request.params.kind) {
    case 'chat': {
      const chat = decodeChat(body);
      // Without the header it is Laravel itself that speaks: the system user.
      const sender = decodeUserHeader(request.get('x-demo-user'));
      return isRejection(chat) ? chat : chatPayload(DEMO_ROOM, chat, sender);
    }
    case 'tweet': {
      const tweet = decodeTweet(body);
      return isRejection(tweet) ? tweet : tweetPayload(tweet, new Date());
    }
    case 'event': {
      const event = decodeEvent(body);
      const socketId = request.get('x-socket-id') ?? null;
      return isRejection(event) ? event : eventPayload(DEMO_ROOM, event, socketId);
    }
    default:
      return reject('invalid_message', 'publish one of chat, tweet, event', 404);
  }
}

function servePage(assetsDir: string, request: Request, response: Response): void {
  // One read for each visit, not one at start: the page may be built while the server runs.
  const page = createReadStream(path.join(assetsDir, 'index.html'));
  page.once('error', () => {
    response.status(503).type('text/plain').send('The demo page is not built yet: run `npm run build`.\n');
  });
  page.once('open', () => {
    response.set({
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': contentSecurityPolicy(request.get('host') ?? ''),
      'Cache-Control': 'no-cache',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    });
    page.pipe(response);
  });
}

/** A form of another site can't send JSON without asking first, so it can't press our buttons. */
function requireJson(request: Request, response: Response, next: NextFunction): void {
  if (request.method !== 'POST' || request.is('application/json')) next();
  else refuse(response, reject('unsupported_media_type', 'the body must be JSON'));
}

function refuse(response: Response, rejection: Rejection): void {
  response.status(rejection.status).json({ error: rejection.message, code: rejection.code });
}

function rejectionOf(error: unknown, logger: DemoLogger): Rejection {
  // body-parser marks what the client did wrong with a status of its own.
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  if (status === 413) return reject('too_large', 'the body is too large');
  if (typeof status === 'number' && status < 500)
    return reject('invalid_message', 'the body is no JSON', 400);
  logger.warn({ err: error }, 'the demo could not publish');
  return reject('unavailable', 'the bus does not answer; try again');
}

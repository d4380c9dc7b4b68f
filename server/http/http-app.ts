import express, { type Express, type RequestHandler, type Router } from 'express';
import { answerNotFound, createErrorBoundary } from './error-boundary.ts';
import type { HttpLog } from './http-log.ts';
import { createMetricsPage, type MetricsText } from './metrics-page.ts';

/** What a protocol or a page serves. Its faults go to `next`; it reads bodies by itself, after its own auth. */
export interface Mount {
  readonly path: string;
  readonly router: Router;
}

export interface HttpAppParts {
  readonly mounts: readonly Mount[];
  /** Asked at each `/health/ready`; the reason is shown to strangers, so it names no host and no secret. */
  readiness(): { readonly ready: boolean; readonly reason: string | null };
  readonly metrics: MetricsText;
  /** Opens `/metrics` from elsewhere; null: loopback only. */
  readonly metricsKey: string | null;
  readonly log: HttpLog;
}

export function createHttpApp({ mounts, readiness, metrics, metricsKey, log }: HttpAppParts): Express {
  const app = express();
  app.disable('x-powered-by');
  // Nothing of ours is worth a validator, and hashing every answer is not free. Static pages bring their own.
  app.disable('etag');
  app.use(securityHeaders);
  // laravel-echo-server's, which load balancers in front of it ask for.
  app.get('/', (_req, res) => void res.type('text/plain').send('OK'));
  app.get('/health/live', (_req, res) => void res.set('cache-control', 'no-store').json({ status: 'ok' }));
  app.get('/health/ready', (_req, res) => {
    const { ready, reason } = readiness();
    res.set('cache-control', 'no-store').status(ready ? 200 : 503);
    res.json(ready ? { status: 'ok' } : { status: 'unavailable', ...(reason !== null && { reason }) });
  });
  app.get('/metrics', createMetricsPage(metrics, metricsKey));
  for (const { path, router } of mounts) app.use(path, router);
  app.use(answerNotFound);
  app.use(createErrorBoundary(log));
  return app;
}

const securityHeaders: RequestHandler = (_req, res, next) => {
  res.set({
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'SAMEORIGIN',
    // Addresses of this server can hold tokens and keys.
    'referrer-policy': 'no-referrer',
  });
  next();
};

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpLog } from './http-log.ts';
import { sendRefusal } from './refusal.ts';
import { normalTarget, pathOf } from './request-target.ts';

/** A protocol that serves plain requests by itself, before Express: Engine.IO's polling. */
export interface RequestHandler {
  /** @param pathname as the client wrote it, without query; the whole path, never a prefix by chance */
  matches(pathname: string): boolean;
  handle(req: IncomingMessage, res: ServerResponse): void | Promise<void>;
}

/** The listener for `request`: what a protocol takes by itself, else the app's. */
export function createRequestRouting(
  handlers: readonly RequestHandler[],
  app: (req: IncomingMessage, res: ServerResponse) => void,
  log: HttpLog,
) {
  return (req: IncomingMessage, res: ServerResponse) => {
    const target = normalTarget(req.url);
    if (target === null) return sendRefusal(res, 'invalid_message', 'malformed request target');
    req.url = target;
    const path = pathOf(target);
    const handler = handlers.find((h) => h.matches(path));
    if (handler === undefined) return app(req, res);
    void take(handler, { req, res }, { path, log });
  };
}

async function take(
  handler: RequestHandler,
  { req, res }: { req: IncomingMessage; res: ServerResponse },
  { path, log }: { path: string; log: HttpLog },
): Promise<void> {
  try {
    await handler.handle(req, res);
  } catch (err) {
    log.error({ err, method: req.method, path, stage: 'http' }, 'request failed');
    if (res.headersSent) res.destroy();
    else sendRefusal(res, 'internal_error', 'internal error');
  }
}

import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { Code } from '../domain/catalogue.ts';
import { UnavailableError } from '../domain/outcome.ts';
import type { HttpLog } from './http-log.ts';
import { sendRefusal } from './refusal.ts';

/** The last mount: nothing took the request. */
export const answerNotFound: RequestHandler = (_req, res) => sendRefusal(res, 'not_found', 'not found');

/** What the boundary tells: never an error's own text, which may name what a stranger should not know. */
const messages = {
  invalid_message: 'the request is malformed',
  too_large: 'the body is too large',
  unsupported_media_type: 'the body must be JSON in UTF-8',
  unavailable: 'not able to serve now, try later',
  internal_error: 'internal error',
} as const satisfies { [C in Code]?: string };

/** The boundary of everything that Express serves: a fault is logged here, once, and told as `internal_error`. */
export function createErrorBoundary(log: HttpLog): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  return (err: unknown, req, res, _next) => {
    const code = codeOf(err);
    if (code === 'internal_error')
      log.error({ err, method: req.method, path: req.path, stage: 'http' }, 'request failed');
    // Half an answer can't be mended: cut it, so that the client does not take it for a whole one.
    if (res.headersSent) res.destroy();
    else sendRefusal(res, code, messages[code]);
  };
}

/** An error with a `status` of 4xx is Express's or its body parser's, and blames the request. */
function codeOf(err: unknown): keyof typeof messages {
  if (err instanceof UnavailableError) return 'unavailable';
  const { status, code } = (err ?? {}) as { status?: unknown; code?: unknown };
  if (status === 413) return 'too_large';
  if (status === 415) return 'unsupported_media_type';
  const isClientError = typeof status === 'number' && status >= 400 && status < 500;
  return isClientError || code === 'ERR_INVALID_URL' ? 'invalid_message' : 'internal_error';
}

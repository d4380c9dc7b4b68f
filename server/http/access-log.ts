import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpLog } from './http-log.ts';
import { shownTarget } from './shown-target.ts';

/** Every request, when its answer has gone or was given up, and every upgrade, at the level debug. */
export function createAccessLog(log: HttpLog) {
  return {
    request(req: IncomingMessage, res: ServerResponse): void {
      const { method, url } = req;
      res.once('close', () => {
        const whole = res.writableFinished;
        log.debug({ method, target: shownTarget(url), status: res.statusCode, whole }, 'request');
      });
    },
    upgrade({ url }: IncomingMessage): void {
      log.debug({ target: shownTarget(url) }, 'upgrade');
    },
  };
}

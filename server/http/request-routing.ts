import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpLog } from './http-log.ts';
import type { ProtocolMount } from './protocol-mount.ts';
import { sendRefusal } from './refusal.ts';
import { pathOf } from './request-target.ts';
import type { TargetReader } from './target-reader.ts';

/** The listener for `request`: what a protocol takes by itself, else the app's. */
export function createRequestRouting(
  protocols: readonly ProtocolMount[],
  app: (req: IncomingMessage, res: ServerResponse) => void,
  targetOf: TargetReader,
  log: HttpLog,
) {
  return (req: IncomingMessage, res: ServerResponse) => {
    const target = targetOf(req.url);
    if (typeof target !== 'string') return sendRefusal(res, target.code, target.message);
    req.url = target;
    const path = pathOf(target);
    const protocol = protocols.find((p) => p.handleRequest !== undefined && p.matches(path));
    if (protocol === undefined) return app(req, res);
    void take(protocol, { req, res }, { path, log });
  };
}

async function take(
  protocol: ProtocolMount,
  { req, res }: { req: IncomingMessage; res: ServerResponse },
  { path, log }: { path: string; log: HttpLog },
): Promise<void> {
  try {
    await protocol.handleRequest?.(req, res);
  } catch (err) {
    log.error({ err, method: req.method, path, stage: 'http' }, 'request failed');
    if (res.headersSent) res.destroy();
    else sendRefusal(res, 'internal_error', 'internal error');
  }
}

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { HttpLog } from './http-log.ts';
import type { ProtocolMount } from './protocol-mount.ts';
import { refuseUpgrade } from './refusal.ts';
import { pathOf } from './request-target.ts';
import type { TargetReader } from './target-reader.ts';

/**
 * The listener for `upgrade`. Node leaves the socket wholly to us here, so one that nobody takes is answered and
 * closed: `/socket.iox` hung open for ever in the trial.
 */
export function createUpgradeRouting(
  protocols: readonly ProtocolMount[],
  allowsOrigin: (req: IncomingMessage) => boolean,
  targetOf: TargetReader,
  log: HttpLog,
) {
  return (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Before anything else: an upgraded socket has no error listener of Node's, and ECONNRESET ends the process.
    socket.on('error', (err) => log.debug({ err }, 'upgrade socket failed'));
    const target = targetOf(req.url);
    if (typeof target !== 'string') return refuseUpgrade(socket, target);
    req.url = target;
    const path = pathOf(target);
    const protocol = protocols.find((protocol) => protocol.matches(path));
    if (protocol === undefined)
      return refuseUpgrade(socket, { code: 'not_found', message: 'no protocol takes an upgrade here' });
    // One rule for all protocols, asked before any of them: WebSockets know no CORS of their own.
    if (!allowsOrigin(req))
      return refuseUpgrade(socket, { code: 'forbidden', message: 'pages of this origin may not connect' });
    const refusal = protocol.refusalOf?.(req) ?? null;
    if (refusal !== null) return refuseUpgrade(socket, refusal);
    void take(protocol, { req, socket, head }, { path, log });
  };
}

async function take(
  protocol: ProtocolMount,
  { req, socket, head }: { req: IncomingMessage; socket: Duplex; head: Buffer },
  { path, log }: { path: string; log: HttpLog },
): Promise<void> {
  try {
    await protocol.handleUpgrade(req, socket, head);
  } catch (err) {
    log.error({ err, path, stage: 'upgrade' }, 'upgrade failed');
    // What was already written may be a 101: a status line inside a WebSocket stream would be garbage.
    socket.destroy();
  }
}

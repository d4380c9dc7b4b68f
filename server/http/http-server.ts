import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Code } from '../domain/catalogue.ts';
import { createAccessLog } from './access-log.ts';
import { answerClientFaults } from './client-faults.ts';
import { createHttpApp, type HttpAppParts } from './http-app.ts';
import { createPort, type TlsSettings } from './port.ts';
import type { ProtocolMount } from './protocol-mount.ts';
import { createRequestRouting } from './request-routing.ts';
import { createTargetReader } from './target-reader.ts';
import { createUpgradeRouting } from './upgrade-routing.ts';

export interface HttpSettings extends TlsSettings {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** To the end of a request's headers, from its first byte. */
  readonly headersTimeoutMs: number;
  /** To the end of a request's body; its answer (a long poll) may take longer. */
  readonly requestTimeoutMs: number;
  /** How long an idle connection is kept; longer than a proxy in front keeps it, or the proxy finds it cut (502). */
  readonly keepAliveTimeoutMs: number;
  /** Request line and headers of a request: Laravel's cookies and a token in the query must fit. */
  readonly maxHeaderBytes: number;
  /** Its target alone, in bytes. */
  readonly maxUrlBytes: number;
  /** TCP connections; the next is closed at once. */
  readonly maxSockets: number;
}

export interface HttpServerParts extends HttpAppParts {
  readonly protocols: readonly ProtocolMount[];
  /** Whether a page of the request's `Origin` may connect (protocol.md section 6). */
  allowsOrigin(req: IncomingMessage): boolean;
  /** Told of each refusal that no protocol makes; for counting. */
  refused(code: Code): void;
  readonly settings: HttpSettings;
}

/** The one port of the server. */
export interface HttpServer {
  readonly scheme: 'http' | 'https';
  /** @returns where it listens @throws the system's error (EADDRINUSE, EACCES) */
  start(): Promise<AddressInfo>;
  /**
   * Takes no new connections and ends idle ones; those that protocols took are theirs to end.
   * @param deadlineMs then every socket that is left is destroyed. A second call awaits the first.
   */
  stop(deadlineMs: number): Promise<void>;
}

/** How late the time limits are noticed; Node's own 30 s would more than double them. */
const TIMEOUT_CHECK_MS = 5_000;
const IDLE_CHECK_MS = 50;

export function createHttpServer(parts: HttpServerParts): HttpServer {
  const { settings, log } = parts;
  const options = {
    headersTimeout: settings.headersTimeoutMs,
    // Node takes no shorter time for the whole than for its headers.
    requestTimeout: Math.max(settings.requestTimeoutMs, settings.headersTimeoutMs),
    keepAliveTimeout: settings.keepAliveTimeoutMs,
    maxHeaderSize: settings.maxHeaderBytes,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
  };
  const { server, scheme } = createPort(options, settings, log);
  server.maxConnections = settings.maxSockets;
  server.on('drop', () => parts.refused('limit_reached'));
  const targetOf = createTargetReader(settings.maxUrlBytes, parts.refused);
  const accessLog = createAccessLog(log);
  server.on('request', accessLog.request);
  server.on('upgrade', accessLog.upgrade);
  server.on('request', createRequestRouting(parts.protocols, createHttpApp(parts), targetOf, log));
  server.on('upgrade', createUpgradeRouting(parts.protocols, parts.allowsOrigin, targetOf, log));
  answerClientFaults(server, parts.refused);
  const sockets = trackSockets(server);
  let stopping: Promise<void> | null = null;
  return {
    scheme,
    start: () => listen(server, settings),
    stop: (deadlineMs) => {
      stopping ??= close(server, sockets, deadlineMs);
      return stopping;
    },
  };
}

function listen(server: Server, { host, port }: HttpSettings): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });
}

/** Node's own `closeAllConnections` does not know the sockets that were upgraded. */
function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

async function close(server: Server, sockets: ReadonlySet<Socket>, deadlineMs: number): Promise<void> {
  if (!server.listening) return;
  // Node ends connections that are idle now; one whose answer ends later would be kept for its whole keep-alive.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const deadline = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, deadlineMs);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  clearInterval(idle);
  clearTimeout(deadline);
}

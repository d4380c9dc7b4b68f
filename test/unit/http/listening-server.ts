import { onTestFinished } from 'vitest';
import { createHttpServer, type HttpServerParts } from '../../../server/http/http-server.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'error';
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

/** A server on a free port of this machine for one test, and what it logged. */
export async function listeningServer(parts: Partial<HttpServerParts> = {}) {
  const logged: LogLine[] = [];
  const log = {
    debug: (fields: object, message: string) =>
      void logged.push({ level: 'debug', fields: { ...fields }, message }),
    info: (fields: object, message: string) =>
      void logged.push({ level: 'info', fields: { ...fields }, message }),
    error: (fields: object, message: string) =>
      void logged.push({ level: 'error', fields: { ...fields }, message }),
  };
  const server = createHttpServer({
    allowsOrigin: () => true,
    mounts: [],
    protocols: [],
    readiness: () => ({ ready: true, reason: null }),
    metrics: { contentType: 'text/plain; version=0.0.4; charset=utf-8', metrics: async () => 'up 1\n' },
    metricsKey: null,
    refused: () => {},
    log,
    ...parts,
    settings: {
      host: '127.0.0.1',
      port: 0,
      headersTimeoutMs: 15_000,
      requestTimeoutMs: 30_000,
      keepAliveTimeoutMs: 65_000,
      maxHeaderBytes: 16_384,
      maxUrlBytes: 8_192,
      maxSockets: 1_000,
      tlsCert: null,
      tlsKey: null,
      tlsChain: null,
      tlsPassphrase: null,
      tlsCheckMs: 50,
      ...parts.settings,
    },
  });
  const { port } = await server.start();
  onTestFinished(() => server.stop(0));
  const errors = () => logged.filter((line) => line.level === 'error');
  return { server, port, url: `http://127.0.0.1:${port}`, logged, errors };
}

import { createServer, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { CertificateFiles, type CertificateSettings } from './certificate-files.ts';
import type { HttpLog } from './http-log.ts';

/** The server's own TLS; `tlsCert` null: none, as behind a proxy that speaks it. */
export interface TlsSettings extends Omit<CertificateSettings, 'tlsCert' | 'tlsKey'> {
  readonly tlsCert: string | null;
  readonly tlsKey: string | null;
  /** How often the files are looked at. */
  readonly tlsCheckMs: number;
}

/**
 * The port, plain or with TLS.
 * @throws Error that names the file, where the certificate cannot serve
 */
export function createPort(
  options: ServerOptions,
  { tlsCert, tlsKey, tlsCheckMs, ...rest }: TlsSettings,
  log: HttpLog,
): { readonly server: Server; readonly scheme: 'http' | 'https' } {
  if (tlsCert === null || tlsKey === null) return { server: createServer(options), scheme: 'http' };
  const files = new CertificateFiles({ ...rest, tlsCert, tlsKey });
  const first = files.read();
  if ('problem' in first) throw new Error(`${first.file}: ${first.problem}`);
  const server = createTlsServer({
    ...options,
    ...first.context,
    // A handshake counts as the way to a request's headers: who opens sockets and says nothing must not hold them.
    handshakeTimeout: options.headersTimeout ?? 0,
  });
  const watch = setInterval(() => {
    const news = files.readAnew();
    if (news === null) return;
    if ('problem' in news) {
      const { file, problem: reason } = news;
      log.error({ file, reason }, 'the new certificate cannot serve: the old one does');
      return;
    }
    // For handshakes from now on; connections that stand keep what they have.
    server.setSecureContext(news.context);
    log.info({ endsAt: new Date(news.endsAtMs).toISOString() }, 'the certificate was read anew');
  }, tlsCheckMs);
  // It must not keep a stopped process alive, nor look at files for a server that is closed.
  watch.unref();
  server.once('close', () => clearInterval(watch));
  return { server, scheme: 'https' };
}
